export { type Access, type AccessProvider, fixedAccess } from './access.ts';
export {
  accessEntry,
  type ConnectEntryOptions,
  type ConnectOptions,
  connectContext,
  connectEntry,
  connectServer,
  type ServerOptions,
} from './connect.ts';
export type { ConnectionOptions, ServerEndpoint } from './connection.ts';
export type { Credentials } from './credentials/credentials.ts';
export { ExecPlugins, type ExecPluginsOptions, runExecPlugin } from './credentials/exec-plugin.ts';
export { diagnosticsObserver } from './diagnostics.ts';
export { type Kubeconfig, readKubeconfig } from './kubeconfig.ts';
export { type KubeconfigSourceOptions, kubeconfigSource } from './sources/kubeconfig.ts';
export { type KubeconfigFilesOptions, kubeconfigFilesSource } from './sources/kubeconfig-files.ts';
export {
  CLUSTER_API_SECRETS,
  KUBECONFIG_SECRETS,
  type KubeconfigSecrets,
  type SecretSourceOptions,
  secretSource,
} from './sources/secrets.ts';
export { parseKubeconfigYaml } from './yaml.ts';
