/** The part of BAS 2026 a payment platform meets. 1580 left the chart in 2026 (1686 replaces it) and is absent on purpose. */
export const BAS_2026: Readonly<Record<number, string>> = {
  1510: 'Kundfordringar',
  1680: 'Andra kortfristiga fordringar',
  1684: 'Kortfristiga fordringar hos leverantörer',
  1686: 'Fordringar för kontokort och kuponger',
  1689: 'Övriga kortfristiga fordringar',
  1930: 'Företagskonto / checkkonto / affärskonto',
  1940: 'Övriga bankkonton',
  2420: 'Förskott från kunder',
  2421: 'Ej inlösta presentkort',
  2440: 'Leverantörsskulder',
  2611: 'Utgående moms på försäljning inom Sverige, 25 %',
  2614: 'Utgående moms omvänd betalningsskyldighet, 25 %',
  2621: 'Utgående moms på försäljning inom Sverige, 12 %',
  2631: 'Utgående moms på försäljning inom Sverige, 6 %',
  2641: 'Debiterad ingående moms',
  2645: 'Beräknad ingående moms på förvärv från utlandet',
  2890: 'Övriga kortfristiga skulder',
  2899: 'Övriga kortfristiga skulder',
  2970: 'Förutbetalda intäkter',
  3001: 'Försäljning inom Sverige, 25 % moms',
  3002: 'Försäljning inom Sverige, 12 % moms',
  3003: 'Försäljning inom Sverige, 6 % moms',
  3004: 'Försäljning inom Sverige, momsfri',
  3590: 'Övriga fakturerade kostnader',
  3740: 'Öres- och kronutjämning',
  3921: 'Provisionsintäkter',
  3990: 'Övriga ersättningar, bidrag och intäkter',
  4531: 'Inköp av tjänster från ett land utanför EU, 25 % moms',
  4535: 'Inköp av tjänster från annat EU-land, 25 %',
  4610: 'Inköp av tjänster och underentreprenader',
  5090: 'Övriga lokalkostnader',
  6040: 'Kontokortsavgifter',
  6050: 'Försäljningsprovisioner',
  6061: 'Kreditupplysning',
  6351: 'Konstaterade förluster på kundfordringar',
  6352: 'Befarade förluster på kundfordringar',
  6380: 'Förluster på övriga kortfristiga fordringar',
  6570: 'Bankkostnader',
};

/** F takes no manual vouchers, which is how Fortnox sets up the series of its own modules. */
export const SERIES: readonly { code: string; description: string; manual: boolean }[] = [
  { code: 'A', description: 'Redovisning', manual: true },
  { code: 'F', description: 'Kassa', manual: false },
  { code: 'S', description: 'Stripe', manual: true },
];

/** The predefined accounts that Fortnox's API description names; Fortnox has more. */
export const PREDEFINED_ACCOUNTS: Readonly<Record<string, number>> = {
  SALES: 3001,
  SALES2: 3001,
  SALES_0_SE: 3004,
  SALES_12_SE: 3002,
  SALES_25_SE: 3001,
  SALES_6_SE: 3003,
};
