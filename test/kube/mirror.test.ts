import { type MirrorStage, tellOfMirror } from '../story/mirror.ts';
import { startControlPlanes } from './harness/control-planes.ts';

async function start(): Promise<MirrorStage> {
  const planes = await startControlPlanes([{ name: 'host' }, { name: 'eu-1' }, { name: 'us-1' }]);
  return { kubeconfig: planes.kubeconfig, connect: (name) => planes.connect(name), close: () => planes.stop() };
}

tellOfMirror(start, { crash: true });
