import { isClustersetError } from '../errors.ts';
import { checkLabelKey } from '../names.ts';
import { compareText } from '../object.ts';
import {
  checked,
  invalid,
  type LabelOperator,
  type LabelRequirement,
  type LabelRequirements,
  quote,
  sorted,
} from './label-selector.ts';

/**
 * Reads the text form of a label selector, the one that `kubectl -l` and the `labelSelector` parameter take:
 * `env=prod,tier in (web,api),!canary,size>3` (API: apimachinery labels.Parse, whose errors these are).
 *
 * @throws ClustersetError `Invalid`.
 */
export function parseLabelSelector(text: string): LabelRequirements {
  return sorted(new Parser(lex(text)).selector());
}

/** Writes requirements as text that {@link parseLabelSelector} reads; values are sorted. */
export function formatLabelSelector(requirements: LabelRequirements): string {
  return requirements.map(formatRequirement).join(',');
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const list = values.toSorted(compareText).join(',');
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${list}` : `${key} in (${list})`;
    case 'NotIn':
      return values.length === 1 ? `${key}!=${list}` : `${key} notin (${list})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'Gt':
      return `${key}>${list}`;
    case 'Lt':
      return `${key}<${list}`;
    default:
      return operator satisfies never;
  }
}

type Token = ')' | '(' | ',' | '!' | '==' | '=' | '>' | '<' | '!=' | 'in' | 'notin' | 'identifier' | 'end' | 'error';
interface Lexeme {
  readonly token: Token;
  readonly text: string;
}

const SYMBOLS: ReadonlySet<string> = new Set([')', '(', ',', '!', '==', '=', '>', '<', '!=']);

function lex(text: string): Lexeme[] {
  const lexemes: Lexeme[] = [];
  const scanner = /[ \t\r\n]*(?:([=!(),<>]+)|([^=!(),<> \t\r\n]+))/y;
  for (;;) {
    const start = scanner.lastIndex;
    const match = scanner.exec(text);
    if (match === null) return [...lexemes, { token: 'end', text: '' }];
    const [whole, symbols, word] = match;
    if (symbols === undefined) {
      lexemes.push(word === 'in' || word === 'notin' ? { token: word, text: word } : { token: 'identifier', text: word ?? '' });
    } else {
      const symbol = longestSymbol(symbols);
      lexemes.push(symbol);
      scanner.lastIndex = start + whole.length - symbols.length + symbol.text.length;
    }
  }
}

function longestSymbol(symbols: string): Lexeme {
  const two = symbols.slice(0, 2);
  const text = SYMBOLS.has(two) ? two : symbols.slice(0, 1);
  return { token: text as Token, text };
}

const BINARY_OPERATORS = 'in, notin, =, ==, !=, gt, lt';

/** A recursive descent over lexemes. `in` and `notin` are operators after a key and plain identifiers elsewhere. */
class Parser {
  #position = 0;
  readonly #lexemes: readonly Lexeme[];

  constructor(lexemes: readonly Lexeme[]) {
    this.#lexemes = lexemes;
  }

  selector(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const next = this.#peek();
      if (next.token === 'end') return requirements;
      if (next.token !== 'identifier' && next.token !== '!') {
        throw invalid(`found '${next.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      if (this.#separator() === 'end') return requirements;
    }
  }

  #separator(): 'end' | ',' {
    const separator = this.#take();
    if (separator.token === 'end') return 'end';
    if (separator.token !== ',') throw invalid(`found '${separator.text}', expected: ',' or 'end of string'`);
    const next = this.#peek();
    if (next.token !== 'identifier' && next.token !== '!') throw invalid(`found '${next.text}', expected: identifier after ','`);
    return ',';
  }

  #requirement(): LabelRequirement {
    try {
      return this.#keyAndRest();
    } catch (error) {
      throw isClustersetError(error) ? invalid(`unable to parse requirement: ${error.detail}`) : error;
    }
  }

  #keyAndRest(): LabelRequirement {
    const negated = this.#peek().token === '!';
    if (negated) this.#take();
    const key = this.#take();
    if (key.token !== 'identifier') throw invalid(`found '${key.text}', expected: identifier`);
    const problems = checkLabelKey(key.text);
    if (problems.length > 0) throw invalid(`<nil>: Invalid value: ${quote(key.text)}: ${problems.join('; ')}`);
    const next = this.#peek().token;
    if (negated) return { key: key.text, operator: 'DoesNotExist', values: [] };
    if (next === 'end' || next === ',') return { key: key.text, operator: 'Exists', values: [] };
    const { operator, isSet } = this.#operator();
    const values = isSet ? this.#values() : [this.#value()];
    return checked({ key: key.text, operator, values: [...new Set(values)].toSorted(compareText) });
  }

  #operator(): { readonly operator: LabelOperator; readonly isSet: boolean } {
    const { token, text } = this.#take(true);
    switch (token) {
      case '=':
      case '==':
        return { operator: 'In', isSet: false };
      case '!=':
        return { operator: 'NotIn', isSet: false };
      case 'in':
        return { operator: 'In', isSet: true };
      case 'notin':
        return { operator: 'NotIn', isSet: true };
      case '>':
        return { operator: 'Gt', isSet: false };
      case '<':
        return { operator: 'Lt', isSet: false };
      default:
        throw invalid(`found '${text}', expected: ${BINARY_OPERATORS}`);
    }
  }

  #value(): string {
    const next = this.#peek();
    if (next.token === 'end' || next.token === ',') return '';
    const value = this.#take();
    if (value.token !== 'identifier') throw invalid(`found '${value.text}', expected: identifier`);
    return value.text;
  }

  #values(): string[] {
    const open = this.#take();
    if (open.token !== '(') throw invalid(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.token === ')') {
      this.#take();
      return [''];
    }
    if (first.token !== 'identifier' && first.token !== ',') {
      throw invalid(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.#list();
    this.#take();
    return values;
  }

  /** Identifiers with commas between them, up to a closing parenthesis; an empty place stands for the empty value. */
  #list(): string[] {
    const values: string[] = [];
    for (;;) {
      const { token, text } = this.#take();
      const next = this.#peek();
      if (token === 'identifier') values.push(text);
      else if (token !== ',') throw invalid(`found '${text}', expected: ',', or identifier`);
      else if (values.length === 0 || next.token === ',' || next.token === ')') values.push('');
      if (next.token === ')') return values;
      if (token === 'identifier' && next.token !== ',') throw invalid(`found '${next.text}', expected: ',' or ')'`);
    }
  }

  #peek(asOperator = false): Lexeme {
    const lexeme = this.#lexemes[this.#position] ?? { token: 'end', text: '' };
    const isWord = lexeme.token === 'in' || lexeme.token === 'notin';
    return isWord && !asOperator ? { token: 'identifier', text: lexeme.text } : lexeme;
  }

  #take(asOperator = false): Lexeme {
    const lexeme = this.#peek(asOperator);
    this.#position += 1;
    return lexeme;
  }
}
