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

// What bench/planning.ts asks of its own side, too.
func benchmark(count int) map[string]float64 {
	asked := question{Key: "shop/web", Total: int32(count * 3), Rebalance: true,
		Clusters: map[string]fedschedulingv1a1.ClusterPreferences{"*": {Weight: 1}}}
	each := map[string]fedschedulingv1a1.ClusterPreferences{}
	for index := range count {
		name := fmt.Sprintf("cluster-%04d", index)
		asked.Candidates = append(asked.Candidates, name)
		each[name] = fedschedulingv1a1.ClusterPreferences{Weight: int64(1 + index%7)}
	}
	named := asked
	named.Clusters = each
	measure := func(asked question) float64 {
		result := testing.Benchmark(func(b *testing.B) {
			for range b.N {
				asked.plan()
			}
		})
		return float64(result.T.Nanoseconds()) / float64(result.N) / 1000
	}
	return map[string]float64{"same": measure(asked), "each": measure(named)}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-bench" {
		times := map[string]map[string]float64{"100": benchmark(100), "1000": benchmark(1000)}
		if err := json.NewEncoder(os.Stdout).Encode(times); err != nil {
			panic(err)
		}
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
