import { grpcError } from './errors.ts';
import { type IndexFile, type QueryShape, adviceFor, isServed } from './indexes.ts';
import { type Plan, type Source, impliedOrders } from './query-plan.ts';
import type { FieldSegments } from './values.ts';

const pathOf = (field: FieldSegments): string => field.join('.');
const collectionOf = (source: Source): string =>
  source.kind === 'group' ? source.id : source.path.slice(source.path.lastIndexOf('/') + 1);

/** Refuses what the deployed Firestore would refuse for want of an index; the emulator of Firestore never does. */
export function indexCheck(file: IndexFile): (plan: Plan) => void {
  const served = new Set<string>();
  return (plan) => {
    const key = keyOf(plan);
    if (served.has(key)) return;
    const shape = shapeOf(plan);
    if (!isServed(shape, file)) {
      throw grpcError(9, `The query requires an index: ${key}. ${adviceFor(shape, file)}`);
    }
    served.add(key);
  };
}

/** A query without its values, as people read it; cheap, for it is made of every query. */
function keyOf({ source, filters, orders, required }: Plan): string {
  let key = source.kind === 'group' ? `collection group ${source.id}` : collectionOf(source);
  for (const { field, operator } of filters) key += `, ${pathOf(field)} ${operator}`;
  for (const { field, descending } of orders) key += `, by ${pathOf(field)}${descending ? ' descending' : ''}`;
  for (const field of required) key += `, sum of ${pathOf(field)}`;
  return key;
}

export function shapeOf({ source, filters, orders, required }: Plan): QueryShape {
  const comparedBy = (operator: string): string[] =>
    filters.filter((filter) => filter.operator === operator).map(({ field }) => pathOf(field));
  return {
    collection: collectionOf(source),
    scope: source.kind === 'group' ? 'COLLECTION_GROUP' : 'COLLECTION',
    equal: comparedBy('=='),
    oneOf: comparedBy('in'),
    contains: comparedBy('array-contains'),
    orders: impliedOrders(orders, filters).map(({ field, descending }) => ({ field: pathOf(field), descending })),
    sums: required.map(pathOf),
  };
}
