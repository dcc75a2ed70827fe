import { z } from 'zod';

/** A point in time, RFC 3339 (API: meta/v1 Time). Text of any kind is read; API servers take nothing else. */
export const timeSchema: z.ZodString = z.string().meta({ format: 'date-time' });

/** Bytes in base64, as API servers store them. */
export const bytesSchema: z.ZodString = z.string().meta({ format: 'byte' });

const condition = z.object({
  type: z
    .string()
    .max(316)
    .regex(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/),
  message: z.string().max(32768),
  lastTransitionTime: timeSchema,
  observedGeneration: z.int().min(0).exactOptional(),
});

/** Conditions as today's kinds have them, by type (API: meta/v1 Condition, with the rules that its CRDs carry). */
export const conditionsSchema: z.ZodArray<typeof condition> = z
  .array(condition)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });
