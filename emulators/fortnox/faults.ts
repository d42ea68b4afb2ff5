import { htmlPage, systemError, tooManyRequests, unauthorized } from './errors.ts';
import type { Answer, CoreReply, Fault, State } from './types.ts';

/** The first armed fault that fits a request, used up by one. */
export function takeFault(state: State, method: string, path: string): Fault | null {
  const fault = state.faults.find(
    (one) => (one.method === undefined || one.method === method) && path.startsWith(one.path ?? '/3/'),
  );
  if (fault === undefined) return null;
  fault.times -= 1;
  if (fault.times === 0) state.faults = state.faults.filter((one) => one !== fault);
  return fault;
}

function answer(given: Answer, delayMs: number): CoreReply {
  return { kind: 'answer', ...given, delayMs };
}

/** Runs `effect` (what Fortnox would have done) or not, and says what reaches the caller. */
export function underFault(fault: Fault | null, effect: () => Answer): CoreReply {
  if (fault === null) return answer(effect(), 0);
  const { kind, delayMs } = fault;
  switch (kind) {
    case 'commit_then_drop':
      effect();
      return { kind: 'drop', delayMs };
    case 'timeout_before':
      return { kind: 'drop', delayMs };
    case 'error_500_before':
      return answer(systemError(), delayMs);
    case 'error_500_after':
      effect();
      return answer(systemError(), delayMs);
    case 'rate_limit':
      return answer(tooManyRequests(), delayMs);
    case 'html_error':
      return answer(htmlPage(), delayMs);
    case 'unauthorized':
      return answer(unauthorized(), delayMs);
  }
}
