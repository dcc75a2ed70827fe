// Oracle answers questions about Kubernetes' own parsers, for tests to compare with: JSON lines in, JSON lines out.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

type question struct {
	About  string            `json:"about"`
	Input  json.RawMessage   `json:"input"`
	Labels map[string]string `json:"labels,omitempty"`
}

type answer struct {
	question
	Output any    `json:"output,omitempty"`
	Error  string `json:"error,omitempty"`
}

func text(input json.RawMessage) string {
	var value string
	if err := json.Unmarshal(input, &value); err != nil {
		panic(err)
	}
	return value
}

func ask(q question) (any, error) {
	switch q.About {
	case "labelSelector":
		selector, err := labels.Parse(text(q.Input))
		if err != nil {
			return nil, err
		}
		return selector.Matches(labels.Set(q.Labels)), nil
	case "labelSelectorObject":
		var object metav1.LabelSelector
		if err := json.Unmarshal(q.Input, &object); err != nil {
			return nil, err
		}
		selector, err := metav1.LabelSelectorAsSelector(&object)
		if err != nil {
			return nil, err
		}
		return selector.Matches(labels.Set(q.Labels)), nil
	case "fieldSelector":
		selector, err := fields.ParseSelector(text(q.Input))
		if err != nil {
			return nil, err
		}
		return selector.String(), nil
	case "quantity":
		quantity, err := resource.ParseQuantity(text(q.Input))
		if err != nil {
			return nil, err
		}
		return quantity.String(), nil
	case "dnsLabel":
		return validation.IsDNS1123Label(text(q.Input)), nil
	case "dnsSubdomain":
		return validation.IsDNS1123Subdomain(text(q.Input)), nil
	case "dns1035Label":
		return validation.IsDNS1035Label(text(q.Input)), nil
	case "labelKey":
		return validation.IsQualifiedName(text(q.Input)), nil
	case "labelValue":
		return validation.IsValidLabelValue(text(q.Input)), nil
	}
	return nil, fmt.Errorf("unknown question %q", q.About)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		output, err := ask(q)
		a := answer{question: q, Output: output}
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			panic(err)
		}
	}
}
