import {
  difference,
  differenceBelow,
  type FieldSet,
  fieldElement,
  fieldPaths,
  formatElements,
  intersection,
  keyElement,
  NO_FIELDS,
  parseFieldsV1,
  sameFields,
  toFieldsV1,
  union,
  valueElement,
  withField,
} from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const element = fc.constantFrom('f:spec', 'f:a', 'f:b', keyElement({ name: 'web' }), valueElement('x'), 'i:0');
const path = fc.array(element, { minLength: 1, maxLength: 4 });
const set = fc.array(path, { maxLength: 8 }).map((paths) => paths.reduce<FieldSet>(withField, NO_FIELDS));
const pathsOf = (fields: FieldSet): string[] => [...fieldPaths(fields)].map((elements) => elements.join('>')).toSorted();

describe('field sets', () => {
  it('read and write the notation of managed fields', () => {
    const fieldsV1 = {
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } }, 'f:replicas': {} },
    };
    expect(toFieldsV1(parseFieldsV1(fieldsV1))).toEqual(fieldsV1);
    expect(pathsOf(parseFieldsV1(fieldsV1))).toEqual([
      'f:metadata>f:labels',
      'f:metadata>f:labels>f:app',
      'f:spec>f:ports>k:{"port":80,"protocol":"TCP"}',
      'f:spec>f:ports>k:{"port":80,"protocol":"TCP"}>f:port',
      'f:spec>f:replicas',
    ]);
  });

  it('take keys in any order for the same element', () => {
    expect(sameFields(parseFieldsV1({ 'k:{"b":1,"a":2}': {} }), parseFieldsV1({ 'k:{"a":2,"b":1}': {} }))).toBe(true);
  });

  it('come back as they were written', () => {
    fc.assert(
      fc.property(set, (fields) => {
        expect(sameFields(parseFieldsV1(toFieldsV1(fields)), fields)).toBe(true);
      }),
    );
  });

  it('follow the laws of sets', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [x, y] = [new Set(pathsOf(a)), new Set(pathsOf(b))];
        expect(pathsOf(union(a, b))).toEqual([...x.union(y)].toSorted());
        expect(pathsOf(difference(a, b))).toEqual([...x.difference(y)].toSorted());
        expect(pathsOf(intersection(a, b))).toEqual([...x.intersection(y)].toSorted());
        expect(sameFields(union(a, b), union(b, a))).toBe(true);
      }),
    );
  });

  it('can leave out everything below a field', () => {
    const a = [['f:spec'], ['f:spec', 'f:a'], ['f:b']].reduce<FieldSet>(withField, NO_FIELDS);
    expect(pathsOf(differenceBelow(a, withField(NO_FIELDS, ['f:spec'])))).toEqual(['f:b']);
  });

  it('print as Kubernetes prints conflicts', () => {
    expect(
      formatElements([fieldElement('spec'), fieldElement('containers'), keyElement({ name: 'web' }), fieldElement('image')]),
    ).toBe('.spec.containers[name="web"].image');
    expect(formatElements([fieldElement('ports'), keyElement({ protocol: 'TCP', containerPort: 80 })])).toBe(
      '.ports[containerPort=80,protocol="TCP"]',
    );
    expect(formatElements([fieldElement('finalizers'), valueElement('a')])).toBe('.finalizers[="a"]');
  });
});
