/** Cases in which offline clusters answer otherwise than a real API server, and why. `docs/offline-differences.md` lists them. */
export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  'PersistentVolume full': 'the fields of claimRef have managers of their own, against what its definition says',
};
