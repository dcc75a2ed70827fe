export { type RegistrySourceOptions, registrySource } from './source.ts';
