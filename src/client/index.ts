export { type Access, type AccessProvider, fixedAccess } from './access.ts';
export { type ConnectOptions, connectContext, connectEntry, connectServer, type ServerOptions } from './connect.ts';
export type { ConnectionOptions } from './connection.ts';
export { type Kubeconfig, readKubeconfig } from './kubeconfig.ts';
export { type KubeconfigSourceOptions, kubeconfigSource } from './sources/kubeconfig.ts';
