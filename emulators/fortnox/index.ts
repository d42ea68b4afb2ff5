/** The Fortnox emulator as a library: `startFortnoxEmulator` over HTTP, `createFortnoxCore` in-process. */
export { createFortnoxCore } from './core.ts';
export type { FortnoxCore, FortnoxCoreOptions } from './core.ts';
export { startFortnoxEmulator } from './server.ts';
export type { FortnoxEmulator } from './server.ts';
export { FORTNOX_EMULATOR_DEFAULTS } from './state.ts';
export type { SeedOptions } from './state.ts';
export { FAULT_KINDS } from './types.ts';
export type { CoreReply, CoreRequest, Fault, FaultKind, RequestRecord, State, Voucher } from './types.ts';
