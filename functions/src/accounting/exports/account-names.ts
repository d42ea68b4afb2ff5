/** What BAS 2026 calls the accounts that profiles post to. */
const names: Readonly<Record<number, string>> = {
  1580: 'Fordringar för kontokort och kuponger',
  1684: 'Kortfristiga fordringar hos leverantörer',
  1686: 'Fordringar för kontokort och kuponger',
  1689: 'Övriga kortfristiga fordringar',
  1930: 'Företagskonto',
  2420: 'Förskott från kunder',
  2611: 'Utgående moms på försäljning inom Sverige, 25 %',
  2614: 'Utgående moms omvänd betalningsskyldighet, 25 %',
  2621: 'Utgående moms på försäljning inom Sverige, 12 %',
  2631: 'Utgående moms på försäljning inom Sverige, 6 %',
  2641: 'Debiterad ingående moms',
  2645: 'Beräknad ingående moms på förvärv från utlandet',
  2899: 'Övriga kortfristiga skulder',
  3001: 'Försäljning inom Sverige, 25 % moms',
  3002: 'Försäljning inom Sverige, 12 % moms',
  3003: 'Försäljning inom Sverige, 6 % moms',
  3004: 'Försäljning inom Sverige, momsfri',
  3921: 'Provisionsintäkter',
  4535: 'Inköp av tjänster från annat EU-land, 25 %',
  4610: 'Inköp av tjänster och underentreprenader',
  5090: 'Övriga lokalkostnader',
  6380: 'Förluster på övriga kortfristiga fordringar',
  6570: 'Bankkostnader',
};

/** An account's name; one of the company's own numbers (ACCOUNT_NUMBERS) is called by it. */
export const accountName = (account: number): string => names[account] ?? `Konto ${account}`;
