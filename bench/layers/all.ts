/** Every layer's contests, top to wire. */
import { base64Bench } from './base64.js';
import { bincodeBench } from './bincode.js';
import type { LayerBench } from './contest.js';
import { frameBench } from './frame.js';
import { lengthPrefixBench } from './length-prefix.js';
import { protobufBench } from './protobuf.js';
import { recordsBench } from './records.js';
import { sessionBench } from './session.js';
import { tlsBench } from './tls.js';

export const LAYERS: readonly LayerBench[] = [
  protobufBench,
  lengthPrefixBench,
  tlsBench,
  recordsBench,
  base64Bench,
  sessionBench,
  bincodeBench,
  frameBench,
];
