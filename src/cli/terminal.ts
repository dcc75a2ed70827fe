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

/** The terminal of this process. Colour only where somebody sees it, and not with NO_COLOR. */
export function processTerminal(): Terminal {
  let last = '';
  let isOpen = false;
  const endProgress = (): void => {
    if (isOpen) process.stderr.write('\n');
    isOpen = false;
    last = '';
  };
  return {
    endProgress,
    print: (text) => {
      endProgress();
      process.stdout.write(`${text}\n`);
    },
    say: (text) => {
      endProgress();
      process.stderr.write(`${text}\n`);
    },
    complain: (text) => {
      endProgress();
      process.stderr.write(`${styleText('red', 'error:', { stream: process.stderr })} ${text}\n`);
    },
    progress: (text) => {
      if (text === last) return;
      last = text;
      if (!process.stderr.isTTY) {
        process.stderr.write(`${text}\n`);
        return;
      }
      const width = process.stderr.columns || 80;
      process.stderr.write(`\r\x1b[2K${text.slice(0, width - 1)}`);
      isOpen = true;
    },
    style: (style, text) => styleText(style, text, { stream: process.stdout }),
  };
}
