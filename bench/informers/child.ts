import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';

/** Longer than any of this takes. */
const LONGEST_MS = 400_000;

/** A process of this benchmark. It ends with its parent, however that ends, and after a while in any case. */
export class Child<In extends object, Out> {
  readonly #process: ChildProcess;
  readonly #taken: Out[] = [];
  readonly #waiting: ((message: Out) => boolean)[] = [];
  readonly #failures: ((error: Error) => void)[] = [];
  #failure: Error | undefined;

  constructor(file: URL, execArgv: readonly string[] = [], args: readonly string[] = []) {
    const flags = [...new Set([...process.execArgv, ...execArgv])];
    this.#process = fork(file, args, { execArgv: flags, serialization: 'advanced' });
    this.#process.on('message', (message) => this.#take(message as Out));
    this.#process.once('exit', (code, signal) => this.#fail(new Error(`${file.pathname} has ended: ${signal ?? code}`)));
    this.#process.once('error', (error) => this.#fail(error));
    children.add(this.#process);
    this.#process.once('exit', () => children.delete(this.#process));
  }

  tell(message: In): void {
    this.#process.send(message);
  }

  /** The first message that fits, of those that came and those that come. */
  hear<Fitting extends Out>(fits: (message: Out) => message is Fitting): Promise<Fitting> {
    const known = this.#taken.find(fits);
    if (known !== undefined) return Promise.resolve(known);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#failures.push(reject);
      this.#waiting.push((message) => {
        if (!fits(message)) return false;
        resolve(message);
        return true;
      });
    });
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }

  #take(message: Out): void {
    this.#taken.push(message);
    for (const take of [...this.#waiting]) if (take(message)) this.#waiting.splice(this.#waiting.indexOf(take), 1);
  }

  #fail(error: Error): void {
    this.#failure = error;
    for (const reject of this.#failures) reject(error);
  }
}

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Called in a child: it ends with the channel to its parent, which closes also where the parent was killed. */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit(1));
  setTimeout(() => process.exit(2), LONGEST_MS).unref();
}

/** Called in a child. */
export function tellParent<Message>(message: Message): void {
  process.send?.(message);
}
