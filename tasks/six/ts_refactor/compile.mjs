/**
 * Looks at the module with the TypeScript compiler and runs none of it, so that what it says can be believed.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import v8 from "node:v8";

v8.setFlagsFromString("--no-opt"); // it ends before optimizing the compiler's code would pay off

const require = createRequire(import.meta.url);
const ts = require("typescript");
const LIBRARY = dirname(require.resolve("typescript"));
const [MODULE, CONSUMER] = ["/pipeline.ts", "/consumer.ts"];
const OPTIONS = {
  strict: true,
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.es2023.d.ts"],
  types: [],
  noEmit: true,
  skipLibCheck: true,
};
/** What is run is what was measured: no comment is left in it, and it has no way to import. */
const RUN = { ...OPTIONS, noEmit: false, removeComments: true, module: ts.ModuleKind.CommonJS };
/** What every host has beside the language. The starter needs none of it; who uses it is not to be told off. */
const HOST = `
declare const console: Record<"debug" | "info" | "log" | "warn" | "error", (...values: unknown[]) => void>;
declare function setTimeout(callback: (...values: any[]) => void, ms?: number, ...values: any[]): number;
declare function clearTimeout(timer: number | undefined): void;
declare function structuredClone<T>(value: T): T;
declare const performance: { now(): number };
`;

/** A program of the module and the code that uses it. */
function programOf(files) {
  const read = (name) => files[name] ?? (name.startsWith(LIBRARY) ? readFileSync(name, "utf8") : undefined);
  return ts.createProgram(Object.keys(files), OPTIONS, {
    fileExists: (name) => name in files,
    readFile: read,
    getSourceFile(name, language) {
      const text = read(name);
      if (text === undefined) return undefined;
      const isOwn = name in files;
      const jsDocParsingMode = ts.JSDocParsingMode[isOwn ? "ParseAll" : "ParseNone"];
      const file = ts.createSourceFile(name, text, { ...language, jsDocParsingMode }, isOwn);
      // Comments that tell the compiler to look away are not heeded.
      if (name === MODULE) Object.assign(file, { checkJsDirective: undefined, commentDirectives: undefined });
      return file;
    },
    getDefaultLibFileName: () => join(LIBRARY, "lib.es2023.d.ts"),
    getDefaultLibLocation: () => LIBRARY,
    getCurrentDirectory: () => "/",
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
    writeFile: () => {},
  });
}

function errorsOf(name) {
  const file = program.getSourceFile(name);
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    .filter((found) => found.category === ts.DiagnosticCategory.Error)
    .map((found) => ({
      line: file.getLineAndCharacterOfPosition(found.start ?? 0).line + 1,
      inside: file.statements.find((one) => one.pos <= found.start && found.start < one.end)?.name?.text ?? "",
      message: ts.flattenDiagnosticMessageText(found.messageText, " ").slice(0, 300),
    }));
}

/** The exports of the module by name, each as the symbol that it stands for in the end. */
function exportsOf() {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(MODULE));
  const resolved = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  return new Map((module ? checker.getExportsOfModule(module) : []).map((symbol) => [symbol.name, resolved(symbol)]));
}

/** What stands behind each exported name: a value, a type, or both. */
function kindsOf() {
  const specifiers = all(program.getSourceFile(MODULE), ts.isExportSpecifier);
  const typesOnly = new Set(specifiers.filter(ts.isTypeOnlyExportDeclaration).map((one) => one.name.text));
  const kinds = (exported, { flags }) => [
    ...(flags & ts.SymbolFlags.Value && !typesOnly.has(exported) ? ["value"] : []),
    ...(flags & ts.SymbolFlags.Type ? ["type"] : []),
  ];
  return Object.fromEntries([...exportsOf()].map(([exported, symbol]) => [exported, kinds(exported, symbol)]));
}

// ---- Measures. Types, comments, layout and names count for nothing: what remains is what the module does.

const CLASSES = ["Logger", "CacheStore", "RequestPipeline"];
const SHORTEST_COPY = 30; // tokens; a method that only hands on its arguments is shorter
const Kind = ts.SyntaxKind;

const isFunction = (node) => ts.isFunctionLike(node) && Boolean(node.body);
const isErased = (node) =>
  (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isTypeParameterDeclaration(node) ||
  ts.isJSDoc(node) ||
  ts.isModifier(node) ||
  (ts.isFunctionLike(node) && !node.body);

/** Whether a token only belongs to the types: a colon before one, the brackets around some, `?` and `!` of members. */
function isTyping({ kind, parent }, next) {
  if (kind === Kind.ColonToken) return next !== undefined && ts.isTypeNode(next);
  if (kind === Kind.LessThanToken || kind === Kind.GreaterThanToken) return !ts.isBinaryExpression(parent);
  const isMember = ts.isParameter(parent) || ts.isPropertyDeclaration(parent);
  return isMember && (kind === Kind.QuestionToken || kind === Kind.ExclamationToken);
}

/** The shapes of the tokens below a node. A function within counts as one token where `cuts` says so. */
function* tokens(node, cuts = false) {
  if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isNonNullExpression(node)) {
    yield* tokensOf(node.expression, cuts);
    return;
  }
  const children = node.getChildren();
  for (const [index, child] of children.entries()) {
    if (!isErased(child) && !isTyping(child, children[index + 1])) yield* tokensOf(child, cuts);
  }
}

function* tokensOf(node, cuts) {
  if (cuts && isFunction(node)) yield "function";
  else if (node.kind === Kind.Identifier || node.kind === Kind.PrivateIdentifier) yield "name";
  else if (node.kind === Kind.LetKeyword || node.kind === Kind.VarKeyword) yield "const";
  else if (ts.isLiteralExpression(node)) yield "literal";
  else if (node.getChildCount() > 0) yield* tokens(node, cuts);
  else if (node.getWidth() > 0) yield node.getText();
}

/** The tokens below a node that stay when the types are gone. */
function* leaves(node) {
  if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isNonNullExpression(node)) {
    yield* leaves(node.expression);
    return;
  }
  const children = node.getChildren();
  if (children.length === 0) yield node;
  for (const [index, child] of children.entries()) {
    if (!isErased(child) && !isTyping(child, children[index + 1])) yield* leaves(child);
  }
}

/**
 * How many characters stand in tokens whose text the other measures pass over: in literals of every kind, and in names,
 * each counted once. Whatever a program could read and make its own code of at run time has to stand there.
 */
function hiddenIn(file) {
  let literals = 0;
  const names = new Set();
  for (const node of leaves(file)) {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) names.add(node.getText());
    else if (ts.isLiteralExpression(node) || ts.isTemplateLiteralToken(node) || ts.isJsxText(node)) literals += node.getWidth();
  }
  return { literals, names: [...names].reduce((sum, name) => sum + name.length, 0) };
}

const MAKERS = ["eval", "Function", "WebAssembly"];
/** Where code is made of texts at run time. An import is not: there is nothing where the module is played. */
function isMaking(node) {
  if (ts.isCallExpression(node) && node.expression.name?.text === "constructor") return true;
  if (!ts.isIdentifier(node) || !MAKERS.includes(node.text)) return false;
  const { parent } = node;
  const isMember = parent.name === node || parent.propertyName === node;
  const isTest = ts.isBinaryExpression(parent) && parent.operatorToken.kind === Kind.InstanceOfKeyword;
  return !isMember && !isTest;
}

/** The texts of all tokens, those of the types included. */
function* texts(node) {
  if (ts.isJSDoc(node)) return;
  if (node.getChildCount() === 0) yield node.getText();
  for (const child of node.getChildren()) yield* texts(child);
}

function all(node, matches) {
  const found = [];
  const visit = (one) => {
    if (matches(one)) found.push(one);
    ts.forEachChild(one, visit);
  };
  visit(node);
  return found;
}

/** How many tokens in the bodies of functions stand there a second time. A copy lies within one function. */
function copied(functions) {
  const seen = new Map(); // a row of tokens -> [function, where it ends the first time]
  let count = 0;
  for (const [number, { body }] of functions.entries()) {
    const row = isFunction(body) ? ["function"] : [...tokens(body, true)];
    let counted = 0; // up to where tokens are counted
    for (let start = 0; start + SHORTEST_COPY <= row.length; start += 1) {
      const end = start + SHORTEST_COPY;
      const key = row.slice(start, end).join(" ");
      const [first, until] = seen.get(key) ?? [];
      if (first === undefined) seen.set(key, [number, end]);
      else if (first !== number || until <= start) {
        count += end - Math.max(start, counted);
        counted = end;
      }
    }
  }
  return count;
}

/** How often `any` is written as a type. Another name for it counts wherever it is used, unless others need that name. */
function anysOf(file, exported) {
  const checker = program.getTypeChecker();
  const needed = new Set(exported.values());
  const isAnother = (node) => {
    if (!ts.isTypeReferenceNode(node)) return false;
    const symbol = checker.getSymbolAtLocation(node.typeName);
    const isAlias = symbol && symbol.flags & ts.SymbolFlags.TypeAlias && !needed.has(symbol);
    return isAlias && checker.getTypeFromTypeNode(node).flags & ts.TypeFlags.Any;
  };
  return all(file, (node) => node.kind === Kind.AnyKeyword || isAnother(node)).length;
}

/** Nodes with all that they use of their own file, directly or not, but nothing of another of the main classes. */
function closure(nodes, mains) {
  const checker = program.getTypeChecker();
  const mainOf = (node) => ts.findAncestor(node, (one) => mains.has(one));
  const home = new Set(nodes.map(mainOf));
  const isNear = (node) =>
    node.getSourceFile().fileName === MODULE && !isErased(node) && !ts.isParameter(node) && !mains.has(node) &&
    (!mainOf(node) || home.has(mainOf(node)));
  const found = new Set();
  const visit = (node) => {
    if (found.has(node)) return;
    found.add(node);
    for (const identifier of all(node, ts.isIdentifier)) {
      (checker.getSymbolAtLocation(identifier)?.declarations ?? []).filter(isNear).forEach(visit);
    }
  };
  nodes.filter((node) => !isErased(node)).forEach(visit);
  return [...found];
}

const functionsIn = (nodes) =>
  [...new Set(nodes.flatMap((node) => all(node, isFunction)))].filter((one) => !ts.isConstructorDeclaration(one));

const isNothing = (node) => node.kind === Kind.NullKeyword || node.getText() === "undefined";
const EQUALS = ["EqualsEquals", "EqualsEqualsEquals", "ExclamationEquals", "ExclamationEqualsEquals"].map(
  (name) => Kind[`${name}Token`],
);
const isComparison = (node) => ts.isBinaryExpression(node) && EQUALS.includes(node.operatorToken.kind);
const isSearch = (node) =>
  ts.isCallExpression(node) && ["indexOf", "splice", "filter", "findIndex"].includes(node.expression.name?.text);
const isText = (node) => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
const isSum = (node) => ts.isBinaryExpression(node) && node.operatorToken.kind === Kind.PlusToken;

/** What there are newer means for, by kind. */
const DATED = {
  /** An array gone through by an index. */
  loops: (node) =>
    ts.isForStatement(node) &&
    (node.initializer?.declarations ?? []).some(({ name }) =>
      all(node.statement, ts.isElementAccessExpression).some((one) => one.argumentExpression.getText() === name.text),
    ),
  /** A text put together by `+`. */
  sums: (node) =>
    isSum(node) && !isSum(node.parent) && all(node, isSum).some((one) => isText(one.left) || isText(one.right)),
  /** A copy by Object.assign() into an empty object, or by slice(). */
  copies: (node) =>
    ts.isCallExpression(node) &&
    ((node.expression.getText() === "Object.assign" && node.arguments[0]?.getText().replace(/\s/g, "") === "{}") ||
      (node.expression.name?.text === "slice" && node.arguments.length === 0)),
  /** A condition for a value that may be missing: `a !== undefined ? a : b`. */
  defaults: (node) =>
    ts.isConditionalExpression(node) &&
    isComparison(node.condition) &&
    (isNothing(node.condition.left) || isNothing(node.condition.right)) &&
    [node.condition.left, node.condition.right].some((one) =>
      [node.whenTrue, node.whenFalse].some((branch) => branch.getText() === one.getText() && !isNothing(one)),
    ),
};

const BRANCHES = [Kind.IfStatement, Kind.ConditionalExpression, Kind.CaseClause];
const isBranch = (node) =>
  BRANCHES.includes(node.kind) ||
  (ts.isBinaryExpression(node) && [Kind.BarBarToken, Kind.AmpersandAmpersandToken].includes(node.operatorToken.kind));

const mapped = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

function measuresOf() {
  const file = program.getSourceFile(MODULE);
  const exported = exportsOf();
  const declarations = Object.fromEntries(CLASSES.map((name) => [name, exported.get(name)?.declarations ?? []]));
  const mains = new Set(Object.values(declarations).flat());
  const classes = mapped(declarations, (nodes) => closure(nodes, mains));
  const decisions = closure(all(file, (node) => node.name?.text === "shouldLog"), mains);
  const levelMethods = all(file, (node) => ["debug", "info", "warn"].includes(node.name?.text) && isFunction(node));
  return {
    code: [...tokens(file)].length,
    text: createHash("sha256").update([...texts(file)].join("\n")).digest("hex"),
    hidden: hiddenIn(file),
    making: [...leaves(file), ...all(file, ts.isCallExpression)]
      .filter(isMaking).slice(0, 5).map((node) => node.getText().slice(0, 80)),
    copied: mapped({ module: [file], ...classes }, (nodes) => copied(functionsIn(nodes))),
    dated: mapped(DATED, (matches) => all(file, matches).length),
    branches: new Set(decisions.flatMap((node) => all(node, isBranch))).size,
    methods: levelMethods.length,
    anys: anysOf(file, exported),
    searches: new Set(classes.CacheStore.flatMap((node) => all(node, isSearch))).size,
  };
}

let program; // of the calls in this process, all for the same module

/** Looks at a module: what it is as JavaScript, what the compiler says to it and to its consumer, how it measures. */
export function look(what, text, consumer) {
  if (what === "script") return ts.transpileModule(text, { compilerOptions: RUN }).outputText;
  program ??= programOf({ [MODULE]: text, [CONSUMER]: consumer, "/host.d.ts": HOST });
  if (what === "measures") return measuresOf();
  return { errors: errorsOf(MODULE), consumer: errorsOf(CONSUMER), exports: kindsOf() };
}
