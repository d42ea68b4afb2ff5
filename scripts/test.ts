import { steps } from './test/steps.ts';
import type { Step, StepContext } from './test/steps.ts';
import { exitCode, nothing, sum, summaryLine } from './test/summary.ts';
import type { Counts } from './test/summary.ts';

const usage = `npm test [-- STEP …]     runs everything that must hold, or the named steps only

${steps.map(({ name, about }) => `  ${name.padEnd(10)}${about}`).join('\n')}

It ends with the line 'N passed, N failed, N skipped'; a step that is no test run counts as one test.`;

const wanted = process.argv.slice(2);
if (wanted.includes('--help')) {
  console.log(usage);
  process.exit(0);
}
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`There is no step ${unknown.join(', ')}.\n\n${usage}`);
  process.exit(2);
}

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());
process.once('disconnect', () => interrupt.abort());
process.channel?.unref();

const began = performance.now();
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

async function perform(step: Step): Promise<Counts> {
  const stepBegan = performance.now();
  console.log(`\n${step.name}: ${step.about}`);
  const context: StepContext = { signal: interrupt.signal, log: (line) => console.log(`    ${line}`) };
  // A long step shows that it is alive.
  const ticker = setInterval(() => console.log(`  … ${step.name} has been running for ${seconds(stepBegan)}`), 15_000);
  try {
    const { counts, output } = await step.run(context);
    if (counts.failed > 0) console.log(output.trimEnd());
    console.log(`  ${counts.failed > 0 ? 'FAILED' : 'ok'}: ${summaryLine(counts)} (${seconds(stepBegan)})`);
    return counts;
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error));
    console.log(`  FAILED: ${step.name} could not run (${seconds(stepBegan)})`);
    return { ...nothing, failed: 1 };
  } finally {
    clearInterval(ticker);
  }
}

const results: Counts[] = [];
for (const step of steps) {
  if (wanted.length > 0 && !wanted.includes(step.name)) continue;
  if (!interrupt.signal.aborted) results.push(await perform(step));
}
const total = sum(results);
console.log(`\n${interrupt.signal.aborted ? 'Interrupted' : 'Done'} after ${seconds(began)}.`);
console.log(summaryLine(total));
process.exit(interrupt.signal.aborted ? 130 : exitCode(total));
