// Made by proto/generate.js from transport_protocol.proto. Do not edit.
export declare const messages: {
  StartMsg: {
    protocol: { number: 1, type: 'string' },
    firmware_version: { number: 2, type: 'string' },
  },
  Program: {
    file_name: { number: 1, type: 'string' },
    code: { number: 2, type: 'bytes' },
  },
  Data: {
    file_name: { number: 1, type: 'string' },
    data: { number: 2, type: 'bytes' },
  },
  Read: {
    file_name: { number: 1, type: 'string' },
  },
  RequestResult: {
    file_name: { number: 1, type: 'string' },
  },
  RequestPiHash: {
    file_name: { number: 1, type: 'string' },
  },
  NitroAttestationDoc: {
    doc: { number: 1, type: 'bytes' },
    device_id: { number: 2, type: 'int32' },
  },
  PsaAttestationInit: {
    challenge: { number: 1, type: 'bytes' },
    device_id: { number: 2, type: 'int32' },
  },
  Result: {
    data: { number: 1, type: 'bytes' },
  },
  PiHash: {
    data: { number: 1, type: 'bytes' },
  },
  PolicyHash: {
    data: { number: 1, type: 'bytes' },
  },
  Cert: {
    data: { number: 1, type: 'bytes' },
  },
  ErrorCode: {
    error: { number: 1, type: 'bytes' },
  },
  State: {
    state: { number: 1, type: 'bytes' },
  },
  RequestProxyPsaAttestationToken: {
    challenge: { number: 1, type: 'bytes' },
  },
  RequestCertificate: {},
  RequestNextRound: {},
  RequestState: {},
  RequestShutdown: {},
  RequestPolicyHash: {},
  NativePsaAttestationToken: {
    token: { number: 1, type: 'bytes' },
    device_id: { number: 2, type: 'int32' },
    csr: { number: 3, type: 'bytes' },
  },
  ProxyPsaAttestationToken: {
    token: { number: 1, type: 'bytes' },
    pubkey: { number: 2, type: 'bytes' },
    device_id: { number: 3, type: 'int32' },
  },
  CertChain: {
    root_cert: { number: 1, type: 'bytes' },
    enclave_cert: { number: 2, type: 'bytes' },
  },
  ProxyAttestationServerRequest: {
    context: { number: 1, type: 'uint32' },
    start_msg: { number: 2, type: 'StartMsg', oneof: 'message_oneof' },
    native_psa_attestation_token: { number: 3, type: 'NativePsaAttestationToken', oneof: 'message_oneof' },
    proxy_psa_attestation_token: { number: 4, type: 'ProxyPsaAttestationToken', oneof: 'message_oneof' },
    nitro_attestation_doc: { number: 7, type: 'NitroAttestationDoc', oneof: 'message_oneof' },
  },
  ProxyAttestationServerResponse: {
    context: { number: 1, type: 'uint32' },
    psa_attestation_init: { number: 2, type: 'PsaAttestationInit', oneof: 'message_oneof' },
    cert_chain: { number: 5, type: 'CertChain', oneof: 'message_oneof' },
  },
  RuntimeManagerRequest: {
    context: { number: 1, type: 'uint32' },
    write_file: { number: 2, type: 'Data', oneof: 'message_oneof' },
    append_file: { number: 3, type: 'Data', oneof: 'message_oneof' },
    request_pi_hash: { number: 4, type: 'RequestPiHash', oneof: 'message_oneof' },
    request_result: { number: 5, type: 'RequestResult', oneof: 'message_oneof' },
    request_proxy_psa_attestation_token: { number: 6, type: 'RequestProxyPsaAttestationToken', oneof: 'message_oneof' },
    request_shutdown: { number: 8, type: 'RequestShutdown', oneof: 'message_oneof' },
    psa_attestation_init: { number: 9, type: 'PsaAttestationInit', oneof: 'message_oneof' },
    request_policy_hash: { number: 10, type: 'RequestPolicyHash', oneof: 'message_oneof' },
    read_file: { number: 11, type: 'Read', oneof: 'message_oneof' },
    request_pipeline: { number: 12, type: 'RequestResult', oneof: 'message_oneof' },
  },
  RuntimeManagerResponse: {
    status: { number: 1, type: 'ResponseStatus' },
    context: { number: 8, type: 'uint32' },
    result: { number: 4, type: 'Result', oneof: 'message_oneof' },
    pi_hash: { number: 5, type: 'PiHash', oneof: 'message_oneof' },
    error: { number: 6, type: 'ErrorCode', oneof: 'message_oneof' },
    state: { number: 10, type: 'State', oneof: 'message_oneof' },
    policy_hash: { number: 11, type: 'PolicyHash', oneof: 'message_oneof' },
    cert: { number: 12, type: 'Cert', oneof: 'message_oneof' },
  },
};
export declare const enums: {
  ResponseStatus: {
    UNSET: 0,
    SUCCESS: 1,
    FAILED_INVALID_ROLE: 2,
    FAILED_NOT_READY: 3,
    FAILED_GENERIC: 4,
    FAILED_VM_ERROR: 5,
    FAILED_ERROR_CODE_RETURNED: 6,
    FAILED_INVALID_REQUEST: 7,
  },
};
