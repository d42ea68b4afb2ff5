/** What the Firestore emulator says of the rules it evaluated (`…:ruleCoverage`): every expression with the values it had. */
export interface CoverageReport {
  rules: { files: { content: string }[] };
  report: CoverageNode[];
}

interface CoverageNode {
  sourcePosition: { line?: number; currentOffset?: number; endOffset?: number };
  values?: { value: { boolValue?: boolean }; count: number }[];
  children?: CoverageNode[];
}

export interface Coverage {
  expressions: number;
  /** `line: expression`, of those that no test made the emulator evaluate. */
  never: string[];
  /** Conditions of rules and bodies of functions that were never true, or never false: half of them is untested. */
  oneSided: string[];
}

export function coverageOf({ rules, report }: CoverageReport): Coverage {
  const source = Buffer.from(rules.files[0]?.content ?? '');
  const textOf = ({ sourcePosition: { line = 0, currentOffset = 0, endOffset = 0 } }: CoverageNode) =>
    `${line}: ${source.subarray(currentOffset, endOffset).toString()}`;
  const found: Coverage = { expressions: 0, never: [], oneSided: [] };
  const visit = (node: CoverageNode): void => {
    found.expressions++;
    if (!node.values?.length) found.never.push(textOf(node));
    node.children?.forEach(visit);
  };
  for (const condition of report) {
    visit(condition);
    const seen = new Set(condition.values?.map(({ value }) => value.boolValue));
    const text = textOf(condition);
    // A rule that is closed to everybody says so.
    if (!text.endsWith(': false') && !(seen.has(true) && seen.has(false))) found.oneSided.push(text);
  }
  return found;
}
