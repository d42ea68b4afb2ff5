import ts from 'typescript';

/** One field of an input or a reply: `payments[].amountMinor`. */
export interface Field {
  path: string;
  type: string;
  meaning: string;
}

const deepest = 5;
const absent = ts.TypeFlags.Undefined | ts.TypeFlags.Null;

/** The fields of a reply, those of its objects and lists below them, with what their comments say. */
export function fieldsOf(checker: ts.TypeChecker, type: ts.Type, at: ts.Node): Field[] {
  const below = (of: ts.Type, prefix: string, depth: number): Field[] =>
    propertiesOf(of).flatMap(({ symbol, always }) => {
      const own = checker.getTypeOfSymbolAtLocation(symbol, at);
      const optional = !always || (symbol.flags & ts.SymbolFlags.Optional) !== 0;
      const path = `${prefix}${symbol.name}${optional ? '?' : ''}`;
      const meaning = ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' ');
      const [inner, mark] = innermost(own);
      const nested =
        depth < deepest && isShown(inner) ? below(inner, `${prefix}${symbol.name}${mark}.`, depth + 1) : [];
      return [{ path, type: words(own), meaning }, ...nested];
    });

  /** Of a choice between objects, every field that one of them has. */
  const propertiesOf = (of: ts.Type): { symbol: ts.Symbol; always: boolean }[] => {
    const kinds = (of.isUnion() ? of.types : [of]).filter(({ flags }) => (flags & absent) === 0);
    const found = new Map<string, { symbol: ts.Symbol; count: number }>();
    for (const symbol of kinds.flatMap((kind) => checker.getPropertiesOfType(kind))) {
      found.set(symbol.name, { symbol, count: (found.get(symbol.name)?.count ?? 0) + 1 });
    }
    return [...found.values()].map(({ symbol, count }) => ({ symbol, always: count === kinds.length }));
  };

  const innermost = (of: ts.Type): [ts.Type, string] => {
    const [only, ...others] = present(of);
    if (!only || others.length > 0 || !checker.isArrayType(only)) return [checker.getNonNullableType(of), ''];
    const [element] = checker.getTypeArguments(only as ts.TypeReference);
    if (!element) return [only, ''];
    const [inner, mark] = innermost(element);
    return [inner, `[]${mark}`];
  };

  const present = (of: ts.Type) => (of.isUnion() ? of.types : [of]).filter(({ flags }) => (flags & absent) === 0);
  /** Objects with named fields of our own. */
  const isShown = (of: ts.Type) => {
    const kinds = present(of);
    return kinds.length > 0 && kinds.every((kind) => isObject(kind) && !checker.isArrayType(kind));
  };
  const isObject = ({ flags }: ts.Type) => (flags & ts.TypeFlags.Object) !== 0;

  const words = (of: ts.Type): string => {
    const orNull = of.isUnion() && of.types.some(({ flags }) => (flags & ts.TypeFlags.Null) !== 0);
    // The compiler's own order follows whatever it read first.
    const each = [...new Set(present(of).map(wordsOfOne))].sort();
    // Of an open list of words only that it is text.
    const said = each.includes('text') ? each.filter((word) => !word.startsWith('`')) : each;
    // A boolean is a choice between its two values.
    const both = said.includes('`true`') && said.includes('`false`');
    const shown = both ? ['boolean', ...said.filter((word) => word !== '`true`' && word !== '`false`')] : said;
    return [...shown, ...(orNull ? ['null'] : [])].join(' or ');
  };

  const wordsOfOne = (of: ts.Type): string => {
    if (of.isIntersection()) return of.types.some(isNumber) ? 'integer' : 'text';
    if (of.isStringLiteral() || of.isNumberLiteral()) return `\`${of.value}\``;
    if ((of.flags & ts.TypeFlags.BooleanLiteral) !== 0) return `\`${checker.typeToString(of)}\``;
    if (isNumber(of)) return 'number';
    if ((of.flags & ts.TypeFlags.StringLike) !== 0) return 'text';
    if (checker.isArrayType(of)) return `list of ${plural(checker.getTypeArguments(of as ts.TypeReference)[0])}`;
    const values = checker.getIndexInfoOfType(of, ts.IndexKind.String)?.type;
    return values ? `map of ${plural(values)}` : 'map';
  };
  const plural = (of: ts.Type | undefined) => (of ? words(of).replace(/^(map|number|integer)$/, '$1s') : 'anything');
  const isNumber = ({ flags }: ts.Type) => (flags & ts.TypeFlags.NumberLike) !== 0;

  return below(type, '', 0);
}
