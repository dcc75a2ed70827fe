export { ClustersetError, defineResource, hasCode, isClustersetError, resourceType } from './kube/index.ts';
