import { writeFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector/promises';

export type Profile = Profiler.Profile;

/** A CPU profile of this process, of nothing but what lies between `start` and `stop`. */
export class Sampler {
  #session: Session | undefined;

  /** @param intervalUs microseconds between two samples */
  async start(intervalUs: number): Promise<void> {
    const session = new Session();
    session.connect();
    this.#session = session;
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: intervalUs });
    await session.post('Profiler.start');
  }

  /** Writes the profile to `path` (`.cpuprofile`: Chrome and VS Code open it) and gives it. */
  async stop(path: string): Promise<Profile> {
    const session = this.#session as Session;
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    this.#session = undefined;
    writeFileSync(path, JSON.stringify(profile));
    return profile;
  }
}
