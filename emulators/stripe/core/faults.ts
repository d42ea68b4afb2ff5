/** Faults that a test asks for: each strikes the next matching request or delivery, `times` times. */
import type { World } from './world.ts';

export const REQUEST_FAULTS = [
  'timeout_before',
  'timeout_after_success',
  'hang_after_success',
  'error_500_before',
  'error_500_after',
  'rate_limit',
] as const;
export const DELIVERY_FAULTS = ['drop_delivery', 'duplicate_delivery', 'delay_delivery', 'shuffle_deliveries'] as const;
export type FaultKind = (typeof REQUEST_FAULTS)[number] | (typeof DELIVERY_FAULTS)[number];

export interface Fault {
  id: string;
  kind: FaultKind;
  method: string | null;
  /** A prefix when it begins with a slash, else a regular expression. */
  path: string | null;
  account: string | null;
  /** An event type, or a prefix such as `payout.*`. */
  eventType: string | null;
  /** How often it will still strike. */
  times: number;
  delayMs: number;
}

export interface FaultOrder {
  kind: string;
  method?: string;
  path?: string;
  account?: string;
  eventType?: string;
  times?: number;
  delayMs?: number;
}

const KNOWN = ['kind', 'method', 'path', 'account', 'eventType', 'times', 'delayMs'];
const isDelivery = (kind: string) => (DELIVERY_FAULTS as readonly string[]).includes(kind);

/** The fault, or a text that says what is wrong with the order. */
export function makeFault(id: string, order: FaultOrder): Fault | string {
  const kinds: readonly string[] = [...REQUEST_FAULTS, ...DELIVERY_FAULTS];
  const unknown = Object.keys(order).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0) return `A fault has no '${unknown.join("', '")}'. It has: ${KNOWN.join(', ')}.`;
  if (!kinds.includes(order.kind)) return `There is no fault '${order.kind}'. There are: ${kinds.join(', ')}.`;
  const { times = 1, delayMs = isDelivery(order.kind) ? 500 : 0 } = order;
  if (!Number.isInteger(times) || times < 1) return `'times' is a whole number of at least 1.`;
  if (!Number.isInteger(delayMs) || delayMs < 0) return `'delayMs' is a whole number of milliseconds, 0 or more.`;
  if (isDelivery(order.kind) && (order.method ?? order.path) !== undefined) {
    return `A fault of deliveries is chosen by 'eventType' and 'account', not by 'method' and 'path'.`;
  }
  if (!isDelivery(order.kind) && order.eventType !== undefined) {
    return `A fault of requests is chosen by 'method', 'path' and 'account', not by 'eventType'.`;
  }
  if (order.path !== undefined && !order.path.startsWith('/')) {
    try {
      new RegExp(order.path);
    } catch {
      return `'path' is neither a prefix (it begins with /) nor a regular expression: ${order.path}`;
    }
  }
  return {
    id,
    kind: order.kind as FaultKind,
    method: order.method?.toUpperCase() ?? null,
    path: order.path ?? null,
    account: order.account ?? null,
    eventType: order.eventType ?? null,
    times,
    delayMs,
  };
}

interface About {
  method?: string;
  path?: string;
  account: string | null;
  eventType?: string;
}

function strikes(fault: Fault, about: About): boolean {
  if (fault.method !== null && fault.method !== about.method) return false;
  if (fault.account !== null && fault.account !== about.account) return false;
  if (fault.path !== null) {
    const path = about.path ?? '';
    if (fault.path.startsWith('/') ? !path.startsWith(fault.path) : !new RegExp(fault.path).test(path)) return false;
  }
  if (fault.eventType !== null) {
    const type = about.eventType ?? '';
    const wild = fault.eventType.endsWith('*');
    if (wild ? !type.startsWith(fault.eventType.slice(0, -1)) : type !== fault.eventType) return false;
  }
  return true;
}

/** Takes one strike of the first fault of these kinds that matches. */
export function takeFault(world: World, kind: FaultKind | readonly FaultKind[], about: About): Fault | undefined {
  const kinds: readonly string[] = typeof kind === 'string' ? [kind] : kind;
  const fault = world.faults.find((each) => kinds.includes(each.kind) && strikes(each, about));
  if (!fault) return undefined;
  fault.times -= 1;
  if (fault.times === 0) world.faults = world.faults.filter((each) => each !== fault);
  return fault;
}
