/** Cases in which offline clusters answer otherwise than a real API server, and why. `docs/offline-differences.md` lists them. */
export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  'Node full': 'a real Node keeps the status that it is created with',
  'Pod no-such-volume': 'the cause of a real one has the reason FieldValueNotFound',
  'EndpointSlice empty-lists': 'whoever gives a real server an empty list manages its field',
  'PersistentVolume full': 'the fields of claimRef have managers of their own, against what its definition says',
};
