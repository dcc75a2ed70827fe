import { z } from 'zod';

/** Schema of a {@link LabelSelector}, for fields of custom resources. Operators are checked where the selector is used. */
export const labelSelectorSchema = z.object({
  matchLabels: z.record(z.string(), z.string()).exactOptional(),
  matchExpressions: z
    .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).exactOptional() }))
    .exactOptional(),
});
