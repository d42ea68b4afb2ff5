import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';
import { Refusal } from '../../platform/errors.ts';
import { minorPerMajor, type Minor } from '../../platform/money.ts';
import { quarters, type ReportedSeller } from './dac7.ts';
import { dpiSchema, type DpiMessage } from './dpi-schema.ts';
import { messageOf, type MessageOf } from './dpi.ts';

/**
 * The message as a file (UTF-8), which was read back and held against the schema's rules and the sellers' sums before it is
 * given out. Throws the Refusal that says what is wrong with it.
 */
export function dpiFile(of: MessageOf): string {
  const message = messageOf(of);
  const xml = new XMLBuilder({ ...attributes, format: true }).build(message);
  const wrong = problemOf(xml, message, of.sellers);
  if (wrong === undefined) return xml;
  throw new Refusal(
    'internal',
    'dac7-file-wrong',
    `The file is not as the schema wants it (${wrong}), so it is not given out. Ask for the CSV meanwhile.`,
  );
}

const attributes = { ignoreAttributes: false, attributeNamePrefix: '@' };
const parser = new XMLParser({
  ...attributes,
  parseTagValue: false,
  isArray: (name) => name === 'dpi:ReportableSeller',
  // What we wrote ourselves; the limit is against files that others made.
  processEntities: { enabled: true, maxTotalExpansions: Infinity, maxExpandedLength: Infinity },
});

/** What is wrong with a file; undefined: it is well-formed, as the schema wants it, says what the message says and the sums. */
export function problemOf(xml: string, message: DpiMessage, sellers: readonly ReportedSeller[]): string | undefined {
  const valid = XMLValidator.validate(xml);
  if (valid !== true) return valid.err.msg;
  const found: unknown = parser.parse(xml);
  const read = dpiSchema.safeParse(found);
  if (!read.success) return z.prettifyError(read.error).replaceAll('\n', ' ');
  // What was read has the schema's order now, what was found the file's.
  if (JSON.stringify(read.data) !== JSON.stringify(found)) return 'its elements are not in their order';
  if (JSON.stringify(read.data) !== JSON.stringify(dpiSchema.parse(message))) return 'it does not say what was meant';
  const said = read.data['dpi:DPI_OECD']['dpi:DPIBody']['dpi:ReportableSeller'];
  const other = sellers.find((seller, n) => !saysSums(said[n], seller));
  return other ? `the sums of ${other.coachId} are others` : undefined;
}

type Said = DpiMessage['dpi:DPI_OECD']['dpi:DPIBody']['dpi:ReportableSeller'][number];

/** Whole units that are no more than the sums, and by less than one unit less. */
function saysSums(said: Said | undefined, { currency, quarters: sums }: ReportedSeller): boolean {
  const services = said?.['dpi:RelevantActivities']['dpi:PersonalServices'];
  if (!services) return false;
  const scale = minorPerMajor(currency);
  const down = (told: { '#text': string; '@currCode': string }, amount: Minor): boolean => {
    const rest = amount - Number(told['#text']) * scale;
    return told['@currCode'] === currency && rest >= 0 && rest < scale;
  };
  return quarters.every((quarter) => {
    const sum = sums.find((each) => each.quarter === quarter);
    return (
      sum !== undefined &&
      down(services['dpi:Consideration'][`dpi:ConsQ${quarter}`], sum.considerationMinor) &&
      down(services['dpi:Fees'][`dpi:FeesQ${quarter}`], sum.feesMinor) &&
      Number(services['dpi:NumberOfActivities'][`dpi:NumbQ${quarter}`]) === sum.activities
    );
  });
}
