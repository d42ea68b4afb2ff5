/** One behaviour that must hold at a service and at its emulator alike. `run` rejects with what was different. */
export interface ContractCase<Target> {
  name: string;
  run: (target: Target) => Promise<void>;
  /** What must be in the environment besides the keys, because the case leaves something behind; said when it is skipped. */
  needs?: (target: Target) => string | undefined;
}

export interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
}

export const nothing: Outcome = { passed: 0, failed: 0, skipped: 0 };

export const sum = (a: Outcome, b: Outcome): Outcome => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

export const summaryLine = ({ passed, failed, skipped }: Outcome): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** Runs cases one after another and says how each ended; `target` null: none of them can run, and `why` says so. */
export async function runCases<Target>(
  service: string,
  cases: readonly ContractCase<Target>[],
  target: Target | { skip: string },
  say: (line: string) => void,
): Promise<Outcome> {
  if (isSkip(target)) {
    say(`${service}: not run. ${target.skip}`);
    return { ...nothing, skipped: cases.length };
  }
  let outcome = nothing;
  for (const { name, run, needs } of cases) {
    const missing = needs?.(target);
    if (missing !== undefined) {
      say(`  skipped  ${service}: ${name} (${missing})`);
      outcome = sum(outcome, { ...nothing, skipped: 1 });
      continue;
    }
    try {
      await run(target);
      say(`  passed   ${service}: ${name}`);
      outcome = sum(outcome, { ...nothing, passed: 1 });
    } catch (error) {
      say(`  FAILED   ${service}: ${name}\n           ${error instanceof Error ? error.message : String(error)}`);
      outcome = sum(outcome, { ...nothing, failed: 1 });
    }
  }
  return outcome;
}

function isSkip(target: unknown): target is { skip: string } {
  return typeof target === 'object' && target !== null && 'skip' in target;
}
