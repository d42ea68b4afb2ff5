import ts from 'typescript';
import type { TypedCallable, TypedProgram } from './program.ts';

/** A named refusal: what a client finds in `code`, `details.reason` and `message`. */
export interface NamedRefusal {
  code: string;
  reason: string;
  /** `…` stands for what the call puts in. */
  message: string;
}

/** What runs beside a call and answers nobody: the application of events that waited, the sweep, logs. */
const notAnswering = /\/functions\/src\/(webhooks\/|reconciliation\/(?!range|bank)|testing\/)/;
/** What every entrance refuses is said once for all. */
const everywhere = /\/functions\/src\/(rest\.api|platform\/(entrance|entrance-guard|auth|tokens|limits|throttle))\.ts$/;

/**
 * The refusals in all code that a call can reach, by following every name from the callable's own declaration. More may be
 * listed than a call can meet (a name is followed whether or not it runs); none is left out.
 */
export function refusalsOf(program: TypedProgram, callable: TypedCallable): NamedRefusal[] {
  const reached = reach(program, callable.declaration);
  const found = new Map<string, NamedRefusal>();
  for (const node of reached) {
    for (const refusal of named(program.checker, node, reached))
      found.set(`${refusal.reason} ${refusal.message}`, refusal);
  }
  return [...found.values()].sort((a, b) => (a.reason + a.message < b.reason + b.message ? -1 : 1));
}

/** The refusals that every entrance has before its own code begins. */
export function commonRefusals({ checker, files }: TypedProgram): NamedRefusal[] {
  const reached = new Set<ts.Node>(files.filter(({ fileName }) => everywhere.test(fileName)));
  return [...reached].flatMap((file) => named(checker, file, reached));
}

/** Every declaration that the one names, and those that they name. */
function reach(program: TypedProgram, start: ts.Node): Set<ts.Node> {
  const { checker } = program;
  const reached = new Set<ts.Node>();
  const queue = [start];
  for (let node = queue.pop(); node; node = queue.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    visit(node, (inner) => {
      if (!ts.isIdentifier(inner)) return;
      for (const declaration of declarationsOf(checker, inner)) {
        const file = declaration.getSourceFile();
        const { fileName } = file;
        if (program.isOurs(file) && runs(declaration) && !notAnswering.test(fileName) && !everywhere.test(fileName))
          queue.push(declaration);
      }
    });
  }
  return reached;
}

function visit(node: ts.Node, each: (inner: ts.Node) => void): void {
  each(node);
  ts.forEachChild(node, (child) => visit(child, each));
}

/** Types are never run; a parameter is a name for what its caller has. */
const runs = (node: ts.Node): boolean =>
  ts.isFunctionDeclaration(node) ||
  ts.isVariableDeclaration(node) ||
  ts.isMethodDeclaration(node) ||
  ts.isPropertyAssignment(node) ||
  ts.isClassDeclaration(node);

function declarationsOf(checker: ts.TypeChecker, name: ts.Identifier): readonly ts.Node[] {
  const symbol = ts.isShorthandPropertyAssignment(name.parent)
    ? checker.getShorthandAssignmentValueSymbol(name.parent)
    : checker.getSymbolAtLocation(name);
  if (!symbol) return [];
  const real = (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol;
  return real.declarations ?? [];
}

/** The refusals that this declaration itself makes. */
function named(checker: ts.TypeChecker, declaration: ts.Node, reached: ReadonlySet<ts.Node>): NamedRefusal[] {
  const found: NamedRefusal[] = [];
  visit(declaration, (node) => {
    if (!ts.isNewExpression(node) || !/^(Final)?Refusal$/.test(node.expression.getText())) return;
    const [code, reason, message] = node.arguments ?? [];
    if (!code || !reason || !message) return;
    const [codeValue = '…'] = valuesOf(checker, code, reached);
    const reasons = valuesOf(checker, reason, reached);
    const messages = valuesOf(checker, message, reached);
    reasons.forEach((value, index) => {
      // As many messages as reasons: each has its own. Else any of them may go with any.
      const own = messages.length === reasons.length ? messages.slice(index, index + 1) : messages;
      for (const text of own.length > 0 ? own : ['…']) found.push({ code: codeValue, reason: value, message: text });
    });
  });
  return found;
}

/**
 * What an expression may say: its own words, those of a choice, or, where it is a parameter, what the calls of its function
 * give. A property that is passed on (a stored refusal thrown again) says nothing new, unless it is of an object made here.
 */
function valuesOf(checker: ts.TypeChecker, node: ts.Expression, reached: ReadonlySet<ts.Node>): string[] {
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return valuesOf(checker, node.expression, reached);
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) return [templateText(node)];
  if (ts.isBinaryExpression(node)) {
    const [left] = valuesOf(checker, node.left, reached);
    return valuesOf(checker, node.right, reached).map((right) => (left ?? '…') + right);
  }
  if (ts.isConditionalExpression(node)) {
    return [node.whenTrue, node.whenFalse].flatMap((branch) => valuesOf(checker, branch, reached));
  }
  if (ts.isPropertyAccessExpression(node)) return madeHere(checker, node, reached);
  const [declaration] = ts.isIdentifier(node) ? declarationsOf(checker, node) : [];
  if (declaration && ts.isParameter(declaration)) {
    const given = givenBy(checker, declaration, reached);
    return given.length > 0 ? given : typedValues(checker, node);
  }
  if (declaration && ts.isVariableDeclaration(declaration) && declaration.initializer)
    return valuesOf(checker, declaration.initializer, reached);
  return typedValues(checker, node);
}

/** The words that the type allows, where it names them. */
function typedValues(checker: ts.TypeChecker, node: ts.Expression): string[] {
  const type = checker.getTypeAtLocation(node);
  const kinds = type.isUnion() ? type.types : [type];
  return kinds.flatMap((kind) => (kind.isStringLiteral() ? [kind.value] : [])).sort();
}

const templateText = ({ head, templateSpans }: ts.TemplateExpression): string =>
  head.text + templateSpans.map(({ literal }) => `…${literal.text}`).join('');

/** The arguments that calls give for a parameter. */
function givenBy(checker: ts.TypeChecker, parameter: ts.ParameterDeclaration, reached: ReadonlySet<ts.Node>): string[] {
  const owner = parameter.parent;
  const position = owner.parameters.indexOf(parameter);
  const callee = ts.isVariableDeclaration(owner.parent) ? owner.parent : owner;
  const values: string[] = [];
  for (const declaration of reached) {
    visit(declaration, (node) => {
      if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return;
      const given = node.arguments[position];
      if (given && declarationsOf(checker, node.expression).includes(callee))
        values.push(...valuesOf(checker, given, reached));
    });
  }
  return values;
}

/** `named.reason`, where `named` is `{ reason: '…', message: '…' }` of a function in the same file. */
function madeHere(
  checker: ts.TypeChecker,
  { expression, name }: ts.PropertyAccessExpression,
  reached: ReadonlySet<ts.Node>,
): string[] {
  const [declaration] = ts.isIdentifier(expression) ? declarationsOf(checker, expression) : [];
  const made = declaration && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
  if (!made || !ts.isCallExpression(made) || !ts.isIdentifier(made.expression)) return [];
  const values: string[] = [];
  for (const maker of declarationsOf(checker, made.expression)) {
    if (maker.getSourceFile() !== expression.getSourceFile()) continue;
    visit(maker, (node) => {
      if (ts.isPropertyAssignment(node) && node.name.getText() === name.text)
        values.push(...valuesOf(checker, node.initializer, reached));
    });
  }
  return values;
}
