export { type Kubeconfig, type ServedCluster, type ServedClusters, type ServeOptions, serve } from './serve.ts';
