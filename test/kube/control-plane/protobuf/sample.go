package main

import (
	"bytes"
	"encoding/json"
	"math/rand"
	"reflect"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
)

type sample struct {
	Kind     string          `json:"kind"`
	Protobuf []byte          `json:"protobuf"`
	Object   json.RawMessage `json:"object"`
}

// newSample fills an object at random, sparsely, with many empty values, and encodes it as clients in Go do.
func newSample(kind string, gvk schema.GroupVersionKind, random *rand.Rand) sample {
	object, err := scheme.Scheme.New(gvk)
	if err != nil {
		panic(err)
	}
	fill(reflect.ValueOf(object).Elem(), random, 0)
	object.GetObjectKind().SetGroupVersionKind(gvk)
	var encoded bytes.Buffer
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(object, &encoded); err != nil {
		panic(err)
	}
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return sample{Kind: kind, Protobuf: encoded.Bytes(), Object: text}
}

func oneOf[T any](random *rand.Rand, values ...T) T {
	return values[random.Intn(len(values))]
}

func fill(value reflect.Value, random *rand.Rand, depth int) {
	if fillSpecial(value, random, depth) {
		return
	}
	// The deeper, the less.
	isSet := random.Float64() < 0.75-0.09*float64(depth)
	switch value.Kind() {
	case reflect.Pointer:
		if isSet {
			value.Set(reflect.New(value.Type().Elem()))
			fill(value.Elem(), random, depth+1)
		}
	case reflect.Slice:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			value.SetBytes(oneOf(random, nil, []byte{}, []byte("\x00\xffabc")))
		} else if isSet {
			value.Set(reflect.MakeSlice(value.Type(), 1+random.Intn(2), 2))
			for i := range value.Len() {
				fill(value.Index(i), random, depth+1)
			}
		}
	case reflect.Map:
		if isSet {
			value.Set(reflect.MakeMap(value.Type()))
			for range 1 + random.Intn(2) {
				element := reflect.New(value.Type().Elem()).Elem()
				fill(element, random, depth+1)
				if element.Kind() == reflect.Slice && element.IsNil() && element.Type().Elem().Kind() == reflect.Uint8 {
					// Protobuf has no bytes in a map that aren't there.
					element.SetBytes([]byte{})
				}
				key := oneOf(random, "a", "b.example/c", "__proto__")
				value.SetMapIndex(reflect.ValueOf(key).Convert(value.Type().Key()), element)
			}
		}
	case reflect.Struct:
		for i := range value.NumField() {
			if value.Type().Field(i).Type != reflect.TypeFor[metav1.TypeMeta]() {
				fill(value.Field(i), random, depth+1)
			}
		}
	case reflect.String:
		value.SetString(oneOf(random, "", "", "a", "\ufeffü €"))
	case reflect.Bool:
		value.SetBool(oneOf(random, true, false))
	case reflect.Int32:
		value.SetInt(oneOf[int64](random, 0, 1, -1, 1<<31-1, -1<<31))
	case reflect.Int64, reflect.Int:
		value.SetInt(oneOf[int64](random, 0, 1, -1, 1<<53-1, -1<<53+1))
	case reflect.Float64:
		value.SetFloat(oneOf(random, 0, 1.5, -1e300))
	default:
		panic("can't fill " + value.Type().String())
	}
}

func fillSpecial(value reflect.Value, random *rand.Rand, depth int) bool {
	moment := oneOf(random, time.Time{}, time.Date(2026, 2, 3, 4, 5, 6, 789012000, time.UTC), time.Date(1960, 1, 1, 0, 0, 0, 1000, time.UTC))
	raw := oneOf(random, nil, []byte(`{"a":[1,"x",null]}`), []byte(`"text"`))
	schema := func() *apiextensionsv1.JSONSchemaProps {
		props := &apiextensionsv1.JSONSchemaProps{}
		fill(reflect.ValueOf(props).Elem(), random, depth+2)
		return props
	}
	var made any
	switch value.Interface().(type) {
	case metav1.Time:
		made = metav1.NewTime(moment)
	case metav1.MicroTime:
		made = metav1.NewMicroTime(moment)
	case metav1.Duration:
		made = metav1.Duration{Duration: time.Duration(random.Int63n(1e15))}
	case resource.Quantity:
		made = resource.MustParse(oneOf(random, "0", "1500m", "1Gi"))
	case intstr.IntOrString:
		made = oneOf(random, intstr.FromInt32(0), intstr.FromInt32(80), intstr.FromString(""), intstr.FromString("25%"))
	case runtime.RawExtension:
		made = runtime.RawExtension{Raw: raw}
	case metav1.FieldsV1:
		made = metav1.FieldsV1{Raw: raw}
	case apiextensionsv1.JSON:
		made = apiextensionsv1.JSON{Raw: raw}
	case apiextensionsv1.JSONSchemaPropsOrArray:
		if depth < 9 {
			made = oneOf(random,
				apiextensionsv1.JSONSchemaPropsOrArray{Schema: schema()},
				apiextensionsv1.JSONSchemaPropsOrArray{JSONSchemas: []apiextensionsv1.JSONSchemaProps{*schema()}})
		}
	case apiextensionsv1.JSONSchemaPropsOrBool:
		made = apiextensionsv1.JSONSchemaPropsOrBool{Allows: oneOf(random, true, false)}
		if depth < 9 && random.Intn(2) == 0 {
			made = apiextensionsv1.JSONSchemaPropsOrBool{Allows: true, Schema: schema()}
		}
	case apiextensionsv1.JSONSchemaPropsOrStringArray:
		made = apiextensionsv1.JSONSchemaPropsOrStringArray{Property: []string{"a"}}
		if depth < 9 && random.Intn(2) == 0 {
			made = apiextensionsv1.JSONSchemaPropsOrStringArray{Schema: schema()}
		}
	default:
		return false
	}
	if made != nil {
		value.Set(reflect.ValueOf(made))
	}
	return true
}
