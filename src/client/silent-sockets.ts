import type { Socket } from 'node:net';

/**
 * Destroys a connection over which nothing has come for one and a half times the interval at which it is pinged: then an answer is overdue by half
 * of it. A connection may be dead without either side being told, as behind a firewall that has forgotten it; over HTTP/2 all that is asked from then
 * on would go the same way. What waits for an answer fails with `ETIMEDOUT`.
 */
export function destroyWhenSilent(socket: Socket, pingMs: number): void {
  let heard = socket.bytesRead;
  let silent = 0;
  // Looks are counted, not time: after a stall of the process, or a sleep of the machine, the network has its turn before the next look.
  const timer = setInterval(() => {
    const { bytesRead } = socket;
    silent = bytesRead === heard ? silent + 1 : 0;
    heard = bytesRead;
    if (silent < 3) return;
    clearInterval(timer);
    socket.destroy(Object.assign(new Error('nothing has come for too long, not even answers to pings'), { code: 'ETIMEDOUT' }));
  }, pingMs / 2);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
