/** Amounts as people read them: 49900 -> "499,00 kr". */
export function kr(minor: number): string {
  const whole = String(Math.floor(Math.abs(minor) / 100)).replace(/\B(?=(\d{3})+$)/g, '\u00a0');
  return `${minor < 0 ? '−' : ''}${whole},${String(Math.abs(minor) % 100).padStart(2, '0')} kr`;
}

const accountNames: Record<string, string> = {
  1686: 'Fordringar för kontokort (Stripe)',
  3001: 'Försäljning',
  3921: 'Provisionsintäkter',
  5090: 'Utbetalt till coacher',
  6570: 'Bankkostnader (Stripes avgifter)',
};

/** The trial balance as a table, debit positive, with the sum that must be zero. */
export function trialBalanceTable(balance: Record<string, number>): string {
  const rows = Object.entries(balance).map(
    ([account, minor]) => [account, accountNames[account] ?? '', kr(minor)] as const,
  );
  const total = Object.values(balance).reduce((sum, minor) => sum + minor, 0);
  const width = Math.max(12, ...rows.map(([, , amount]) => amount.length));
  const lines = rows.map(([account, name, amount]) => `    ${account}  ${name.padEnd(36)} ${amount.padStart(width)}`);
  return [...lines, `    ${'sum'.padEnd(42)} ${kr(total).padStart(width)}`].join('\n');
}

export function checkList(invariants: Record<string, boolean>): string {
  return Object.entries(invariants)
    .map(([name, held]) => `    ${held ? '✓' : '✗ FAILED'} ${name}`)
    .join('\n');
}
