// Protobuf says how Kubernetes' own Go types stand in protobuf and in JSON: the kinds to look at in, one line of JSON out. The tags of the
// types are what both encoders follow, so they say it more exactly than the .proto files, which know nothing of JSON. With them come objects
// filled at random in both encodings, for tests.
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
)

type unmarshaler interface{ Unmarshal([]byte) error }

var (
	unmarshals = reflect.TypeFor[unmarshaler]()
	special    = map[reflect.Type]string{
		reflect.TypeFor[metav1.Time]():                                  "t",
		reflect.TypeFor[metav1.MicroTime]():                             "m",
		reflect.TypeFor[metav1.Duration]():                              "d",
		reflect.TypeFor[resource.Quantity]():                            "q",
		reflect.TypeFor[intstr.IntOrString]():                           "x",
		reflect.TypeFor[runtime.RawExtension]():                         "r",
		reflect.TypeFor[metav1.FieldsV1]():                              "r",
		reflect.TypeFor[apiextensionsv1.JSON]():                         "r",
		reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrArray]():       "A",
		reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrBool]():        "B",
		reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrStringArray](): "S",
	}
)

const samplesOfKind = 3

type output struct {
	Kinds    map[string]string   `json:"kinds"`
	Messages map[string][]string `json:"messages"`
	Samples  []sample            `json:"samples"`
}

type recorder struct {
	names    map[reflect.Type]string
	messages map[string][]string
}

func (r *recorder) message(t reflect.Type) string {
	if name, ok := r.names[t]; ok {
		return name
	}
	parts := strings.Split(t.PkgPath(), "/")
	name := strings.Join(append(parts[len(parts)-2:], t.Name()), ".")
	if _, taken := r.messages[name]; taken {
		panic("two types are called " + name)
	}
	r.names[t] = name
	r.messages[name] = nil
	fields := []string{}
	for i := range t.NumField() {
		if field := r.field(t.Field(i)); field != "" {
			fields = append(fields, field)
		}
	}
	r.messages[name] = fields
	return name
}

// field is the number, "?" where empty values are left out or "!" where zero ones are, the name in JSON, and the type.
func (r *recorder) field(f reflect.StructField) string {
	tag := strings.Split(f.Tag.Get("protobuf"), ",")
	if len(tag) < 2 {
		if f.Type == reflect.TypeFor[metav1.TypeMeta]() {
			return ""
		}
		panic("no protobuf tag: " + f.Name + " " + f.Type.String())
	}
	if _, err := strconv.Atoi(tag[1]); err != nil {
		panic(err)
	}
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	flags := ""
	if strings.Contains(options, "omitempty") {
		flags = "?"
	}
	if strings.Contains(options, "omitzero") {
		code := special[f.Type]
		if code != "t" && code != "m" && f.Type.Kind() != reflect.Pointer {
			panic("omitzero: " + f.Name)
		}
		flags = "!"
	}
	if f.Anonymous && name == "" {
		name = "<"
	}
	if name == "" {
		name = f.Name
	}
	return tag[1] + flags + name + ":" + r.code(f.Type)
}

func (r *recorder) code(t reflect.Type) string {
	if code, ok := special[t]; ok {
		if t.Kind() == reflect.Struct && (code == "A" || code == "B" || code == "S") {
			r.message(reflect.TypeFor[apiextensionsv1.JSONSchemaProps]())
		}
		return code
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + r.code(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "y"
		}
		if reflect.PointerTo(t).Implements(unmarshals) {
			return "w" + r.code(t.Elem())
		}
		return "[]" + r.code(t.Elem())
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			panic("a map with keys " + t.Key().String())
		}
		return "{}" + r.code(t.Elem())
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Int32, reflect.Int64, reflect.Int:
		return "i"
	case reflect.Float64:
		return "f"
	case reflect.Struct:
		return "@" + r.message(t)
	}
	panic("no code for " + t.String())
}

func main() {
	if err := apiextensionsv1.AddToScheme(scheme.Scheme); err != nil {
		panic(err)
	}
	var wanted []string
	if err := json.NewDecoder(os.Stdin).Decode(&wanted); err != nil {
		panic(err)
	}
	r := &recorder{names: map[reflect.Type]string{}, messages: map[string][]string{}}
	random := rand.New(rand.NewSource(1))
	out := output{Kinds: map[string]string{}, Messages: r.messages}
	for _, each := range wanted {
		at := strings.LastIndex(each, "/")
		gvk := schema.FromAPIVersionAndKind(each[:at], each[at+1:])
		object, err := scheme.Scheme.New(gvk)
		if err != nil {
			panic(err)
		}
		out.Kinds[each] = r.message(reflect.TypeOf(object).Elem())
		for range samplesOfKind {
			out.Samples = append(out.Samples, newSample(each, gvk, random))
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
