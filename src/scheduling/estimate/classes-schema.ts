import { z } from 'zod';
import { readAmount } from './amounts.ts';

/** Quantities by resource, none of them negative. Numbers are read as their text. */
export const amountsSchema = z
  .record(z.string(), z.union([z.string(), z.number().transform(String)]))
  .refine((amounts) => Object.keys(amounts).every((name) => (readAmount(name, amounts[name]) ?? -1) >= 0), {
    error: 'must be quantities by resource, such as 500m or 2Gi, none of them negative',
  });

const count = z.int().min(0);
const text = z.string().min(1);

const taint = z.object({
  key: text,
  value: z.string().exactOptional(),
  effect: z.enum(['NoSchedule', 'NoExecute']),
});

const nodeClass = z.object({
  labels: z.record(z.string(), z.string()).exactOptional(),
  taints: z.array(taint).exactOptional(),
  unschedulable: z.boolean().exactOptional(),
  free: z.array(z.object({ count, amounts: amountsSchema })),
});

/** Schema of {@link NodeClasses}. */
export const nodeClassesSchema = z.object({
  labelKeys: z.array(text),
  classes: z.array(nodeClass),
  leftOut: count.exactOptional(),
});

/**
 * The nodes of a cluster that are ready, as few entries: nodes that scheduling can't tell apart but for what is free on them are one class.
 *
 * - `labelKeys`: the labels that are known of a class, those of them that it doesn't have among them.
 * - `classes`: by labels and taints; `unschedulable` where they are cordoned. `free`: how many nodes have at least so much of everything.
 * - `leftOut`: nodes that are in no class, because there would have been too many.
 */
export type NodeClasses = Readonly<z.infer<typeof nodeClassesSchema>>;
/** Nodes that are alike. */
export type NodeClass = Readonly<NodeClasses['classes'][number]>;
