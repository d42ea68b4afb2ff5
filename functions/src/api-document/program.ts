import ts from 'typescript';

/** The callables as TypeScript knows them: what goes in, what comes out, and where their code begins. */
export interface TypedCallable {
  name: string;
  input: ts.Type;
  output: ts.Type;
  /** The exported variable; everything a call runs is reached from here. */
  declaration: ts.Node;
}

export interface TypedProgram {
  checker: ts.TypeChecker;
  callables: ReadonlyMap<string, TypedCallable>;
  files: readonly ts.SourceFile[];
  /** Whether a file is the product's own code, of which something is to be said. */
  isOurs(file: ts.SourceFile): boolean;
}

const index = 'functions/src/index.ts';

/** Reads the product's types from `index.ts` on. Takes some seconds. */
export function readProgram(): TypedProgram {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)) as { config: object };
  const { options } = ts.convertCompilerOptionsFromJson(
    (config as { compilerOptions: object }).compilerOptions,
    ts.sys.getCurrentDirectory(),
  );
  const program = ts.createProgram([index], { ...options, incremental: false, tsBuildInfoFile: undefined });
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(index);
  const exported = file && checker.getSymbolAtLocation(file);
  if (!exported) throw new Error(`${index} exports nothing. Run this in the repository's root.`);
  const callables = checker
    .getExportsOfModule(exported)
    .flatMap((symbol) => typedCallable(checker, checker.getAliasedSymbol(symbol)));
  return {
    checker,
    files: program.getSourceFiles(),
    callables: new Map(callables.map((each) => [each.name, each])),
    isOurs: ({ fileName }) => fileName.includes('/functions/src/') && !fileName.includes('/node_modules/'),
  };
}

/** None for exports that are not made by `callable(spec)`. */
function typedCallable(checker: ts.TypeChecker, symbol: ts.Symbol): TypedCallable[] {
  const { valueDeclaration: declaration } = symbol;
  if (!declaration || !ts.isVariableDeclaration(declaration)) return [];
  const made = declaration.initializer;
  if (!made || !ts.isCallExpression(made) || made.expression.getText() !== 'callable') return [];
  const spec = checker.getResolvedSignature(made)?.parameters[0];
  const [input, output] = spec ? checker.getTypeArguments(checker.getTypeOfSymbol(spec) as ts.TypeReference) : [];
  if (!input || !output) throw new Error(`${symbol.name}: its CallableSpec does not say what goes in and comes out.`);
  return [{ name: symbol.name, input, output, declaration }];
}
