import { randomUUID } from 'node:crypto';
import { styleText } from 'node:util';

/** Where a command writes: results to standard output, everything else to standard error, so that results can be piped. */
export interface Terminal {
  /** A result. */
  print(text: string): void;
  /** What is going on. */
  say(text: string): void;
  /** What went wrong. */
  complain(text: string): void;
  /** A line that replaces itself while something is waited for; plain lines where nobody watches. */
  progress(text: string): void;
  /** Ends the line of progress. */
  endProgress(): void;
  style(style: Style, text: string): string;
}

/** How text can look. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** What changes what a terminal does, or the order in which text is read: control characters, and marks of direction. */
export const UNSEEN = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** An escape in place of a character that nobody would see. */
export function visible(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Where a terminal writes: the streams of a process. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The start of every escape sequence. */
const ESCAPE = '\x1b';

/**
 * The terminal of a process. Colour only where somebody sees it, and not with NO_COLOR. Names, values and messages come from files and clusters
 * that anybody may have written: of the control characters in them only escapes are shown.
 */
export function terminalOn({ stdout, stderr }: Streams = process): Terminal {
  // Tells the escape sequences of `style` from those that text brings along.
  const mark = `${ESCAPE}${randomUUID()}`;
  const clean = (text: string): string =>
    text
      .split(mark)
      .map((part) => part.replace(UNSEEN, visible))
      .join(ESCAPE);
  const canRewrite = stderr.isTTY && process.env.TERM !== 'dumb';
  let last = '';
  let isOpen = false;
  const endProgress = (): void => {
    if (isOpen) stderr.write('\n');
    isOpen = false;
    last = '';
  };
  return {
    endProgress,
    print: (text) => {
      endProgress();
      stdout.write(`${clean(text)}\n`);
    },
    say: (text) => {
      endProgress();
      stderr.write(`${clean(text)}\n`);
    },
    complain: (text) => {
      endProgress();
      stderr.write(`${styleText('red', 'error:', { stream: stderr })} ${clean(text)}\n`);
    },
    progress: (said) => {
      if (said === last) return;
      last = said;
      const text = clean(said).replaceAll('\n', ' ');
      if (!canRewrite) {
        stderr.write(`${text}\n`);
        return;
      }
      const width = stderr.columns || 80;
      stderr.write(`\r${ESCAPE}[2K${text.slice(0, width - 1)}`);
      isOpen = true;
    },
    style: (style, text) => {
      const [before = '', after = ''] = styleText(style, '|', { stream: stdout }).split('|');
      return `${before.replace(ESCAPE, mark)}${text}${after.replace(ESCAPE, mark)}`;
    },
  };
}
