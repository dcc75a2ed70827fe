import { meetFaults } from './informers/faults.ts';
import { fillAll } from './informers/fillings.ts';

/**
 * Our caches beside the informer of client-node 2: what they hear of while the server or the network misbehaves, what they keep in memory, how soon
 * they are filled. All of it over HTTPS, with the servers and each of the informers in processes of their own.
 */
export async function benchInformers(): Promise<void> {
  // Most of the time the one waits for minutes to pass, in which the other can be measured.
  const [table] = await Promise.all([meetFaults(), fillAll()]);
  for (const row of table) console.log(row);
}
