import type { Access } from '../access/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import type { Door, Visit } from '../front/door.ts';

/** One request on its way through the server. */
export interface Exchange {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly server: ApiServer;
  readonly door: Door;
  readonly access: Access;
  readonly visit: Visit;
}
