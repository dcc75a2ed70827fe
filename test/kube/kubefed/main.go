// Answers planning questions with kubefed's own planner: JSON lines in, JSON lines out.
// With -bench it prints how long it takes to plan for 100 and for 1,000 clusters, in microseconds.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	fedschedulingv1a1 "sigs.k8s.io/kubefed/pkg/apis/scheduling/v1alpha1"
	"sigs.k8s.io/kubefed/pkg/controller/util/planner"
)

type question struct {
	Key        string                                          `json:"key"`
	Total      int32                                           `json:"total"`
	Rebalance  bool                                            `json:"rebalance"`
	Clusters   map[string]fedschedulingv1a1.ClusterPreferences `json:"clusters"`
	Candidates []string                                        `json:"candidates"`
	Current    map[string]int64                                `json:"current"`
	Capacity   map[string]int64                                `json:"capacity"`
}

type answer struct {
	question
	Plan     map[string]int64 `json:"plan"`
	Overflow map[string]int64 `json:"overflow"`
}

func (q question) plan() (map[string]int64, map[string]int64) {
	preference := &fedschedulingv1a1.ReplicaSchedulingPreference{
		Spec: fedschedulingv1a1.ReplicaSchedulingPreferenceSpec{
			TotalReplicas: q.Total,
			Rebalance:     q.Rebalance,
			Clusters:      q.Clusters,
		},
	}
	plan, overflow, err := planner.NewPlanner(preference).Plan(q.Candidates, q.Current, q.Capacity, q.Key)
	if err != nil {
		panic(err)
	}
	return plan, overflow
}

func benchmark(count int) float64 {
	q := question{Key: "shop/web", Total: int32(count * 3), Rebalance: true,
		Clusters: map[string]fedschedulingv1a1.ClusterPreferences{"*": {Weight: 1}}}
	for i := 0; i < count; i++ {
		q.Candidates = append(q.Candidates, fmt.Sprintf("cluster-%04d", i))
	}
	result := testing.Benchmark(func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			q.plan()
		}
	})
	return float64(result.T.Nanoseconds()) / float64(result.N) / 1000
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-bench" {
		fmt.Printf("{\"100\": %.1f, \"1000\": %.1f}\n", benchmark(100), benchmark(1000))
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		plan, overflow := q.plan()
		if err := out.Encode(answer{q, plan, overflow}); err != nil {
			panic(err)
		}
	}
}
