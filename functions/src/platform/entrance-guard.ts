import type { Request } from 'firebase-functions/https';
import { Refusal } from './errors.ts';
import { inputProblem, limits, sizeProblem } from './limits.ts';

/**
 * What stands before Firebase's own readers. They read a body before any of our code is asked, recursively and whole, and
 * would answer 500 to what is only a client's mistake; and they log bodies they cannot read.
 */

type Handler = (req: Request, res: Answering) => unknown;

/** The little of Express's response that the guards use. */
interface Answering {
  status(code: number): Answering;
  json(body: object): unknown;
}

const refusals = new WeakMap<object, Refusal>();

/** The refusal that this request's body has met; whoever asks first says who is calling. */
export const refusedBody = (req: object): Refusal | undefined => refusals.get(req);

/**
 * Wraps a callable: a body beyond the limits is taken away and its refusal kept, so that CORS, the caller's token and the
 * right are still looked at first, and the client reads a named error. `most`: bytes of the body.
 */
export function guardedBody<F extends object>(fn: F, most: number = limits.inputBytes): F {
  return wrapped(fn, (req, _res, go) => {
    const problem = bodyProblem(req, most);
    if (problem) {
      refusals.set(req, problem);
      req.body = { data: null };
    }
    return go();
  });
}

/** Wraps a task queue's function: what is beyond the limits is refused at once. Nobody but Cloud Tasks can call it. */
export function guardedTask<F extends object>(fn: F): F {
  return wrapped(fn, (req, res, go) => {
    const problem = bodyProblem(req, limits.inputBytes);
    return problem ? refuse(res, problem) : go();
  });
}

/**
 * Wraps a scheduled function: the time it runs for is the header's, so one that is no time of this age is refused before
 * anything is done with it. (Without the header Firebase takes the present.)
 */
export function guardedSchedule<F extends object>(fn: F): F {
  return wrapped(fn, (req, res, go) => {
    const header = req.get('X-CloudScheduler-ScheduleTime');
    if (header === undefined || isTimeOfThisAge(header)) return go();
    return refuse(
      res,
      new Refusal('invalid-argument', 'schedule-time-unreadable', 'X-CloudScheduler-ScheduleTime is not a time.'),
    );
  });
}

const isTimeOfThisAge = (text: string): boolean => /^20\d\d-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text));

function refuse(res: Answering, { reason, message }: Refusal): void {
  res.status(400).json({ error: { status: 'INVALID_ARGUMENT', message, details: { reason } } });
}

/** A proxy, because Firebase reads a function's properties when it is deployed. */
function wrapped<F extends object>(fn: F, guard: (req: Request, res: Answering, go: () => unknown) => unknown): F {
  return new Proxy(fn, {
    apply(target, self: unknown, [req, res]: [Request, Answering]) {
      return guard(req, res, () =>
        Reflect.apply<unknown, [Request, Answering], unknown>(target as F & Handler, self, [req, res]),
      );
    },
  });
}

/** undefined for what Firebase itself refuses with a 400: another method, another type, no body. */
function bodyProblem(req: Request, most: number): Refusal | undefined {
  const body: unknown = req.body;
  if (req.method !== 'POST' || !req.is('application/json') || !body) return undefined;
  const tooLarge = sizeProblem(req.rawBody.length, most);
  if (tooLarge) return tooLarge;
  if (typeof body !== 'object' || !Object.hasOwn(body, 'data') || Object.keys(body).length > 1) {
    return new Refusal('invalid-argument', 'envelope-not-understood', 'Send the JSON object {"data": …} and no more.');
  }
  return inputProblem(body);
}
