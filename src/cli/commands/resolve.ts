import { Command } from 'commander';
import { connectContext } from '../../client/index.ts';
import { readZone, resolve, type ZoneRecord } from '../../mcs/index.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { type Format, outputOption, show, table } from '../output.ts';
import type { Session } from '../session.ts';

interface ResolveOptions {
  readonly from: string;
  readonly type: string;
  readonly zone: string;
  readonly kubeconfig?: string;
  readonly output: Format;
}

/** `clusterset resolve`: what a name of the set resolves to in one cluster. */
export function resolveCommand(session: Session): Command {
  return new Command('resolve')
    .summary('show what a multicluster DNS name resolves to, as seen from one cluster')
    .description(
      'Shows what a name under clusterset.local should resolve to in one cluster (KEP-1645), from the ServiceImports and EndpointSlices that it has. No DNS server is asked.',
    )
    .argument('<name>', 'a whole name, or the part in front of ".svc.clusterset.local": web.shop, db-0.eu-1.db.shop')
    .requiredOption('--from <context>', 'context of the cluster from which one looks')
    .option('--type <type>', 'A, AAAA, SRV, TXT …', 'A')
    .option('--zone <zone>', 'the zone', 'clusterset.local')
    .option('--kubeconfig <file>', 'default: $KUBECONFIG, or ~/.kube/config')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0  there are answers
  2  the name does not exist (NXDOMAIN), or has nothing of the type (NODATA)
  1  the cluster could not be read

Examples:
  clusterset resolve web.shop --from eu-1
  clusterset resolve _http._tcp.web.shop.svc.clusterset.local --type SRV --from eu-1`,
    )
    .action(async (name: string, options: ResolveOptions) => session.exit(await answer(session, name, options)));
}

async function answer({ terminal, signal }: Session, name: string, options: ResolveOptions): Promise<number> {
  const { from, type, zone: origin, kubeconfig } = options;
  if (!/^[A-Za-z]{1,10}$/.test(type))
    throw new CommandFailure([`--type ${type}: is no type of a record; use A, AAAA, SRV or TXT`]);
  const cluster = await connectContext({ context: from, ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  try {
    const zone = await readZone(cluster, { zone: origin, signal });
    const asked = wholeName(name, zone.origin);
    const { code, answers, additional } = resolve(zone, { name: asked, type });
    const outcome = code === 'NOERROR' && answers.length === 0 ? 'NODATA' : code;
    const report = { name: asked, type: type.toUpperCase(), from, code: outcome, answers, additional };
    show(terminal, options.output, report, () => {
      if (answers.length === 0) return `${asked} ${report.type}: ${outcome} in ${from}`;
      const rows = [...answers, ...additional].map((record) => [record.name, String(record.ttl), record.type, dataOf(record)]);
      return table(rows);
    });
    return answers.length === 0 ? EXIT.pending : EXIT.ok;
  } finally {
    await cluster.close();
  }
}

/** A name is whole when it is in the zone; else it is what stands in front of `svc.<zone>`. */
function wholeName(name: string, origin: string): string {
  const text = name.replace(/\.$/, '');
  const isWhole = text.toLowerCase() === origin || text.toLowerCase().endsWith(`.${origin}`);
  if (isWhole) return text;
  return /\.svc$/i.test(text) ? `${text}.${origin}` : `${text}.svc.${origin}`;
}

function dataOf({ name: _name, ttl: _ttl, type: _type, ...data }: ZoneRecord): string {
  return Object.values(data).flat().join(' ');
}
