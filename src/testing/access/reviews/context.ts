import type { Clock } from '../../../runtime/time/index.ts';
import type { WriteContext } from '../../api/write.ts';
import type { AccessReader, Roles } from '../roles.ts';
import type { Tokens } from '../tokens.ts';
import type { User } from '../users.ts';

/** What a question is answered from. */
export interface ReviewContext {
  /** Who asks. */
  readonly user: User;
  /** Absent where everybody may do everything. */
  readonly roles: Roles | undefined;
  readonly tokens: Tokens;
  readonly reader: AccessReader;
  readonly clock: Clock;
  readonly write: WriteContext;
  /** Of the path. */
  readonly namespace?: string | undefined;
  /** Of the path: the ServiceAccount that a token is asked for. */
  readonly name?: string | undefined;
}
