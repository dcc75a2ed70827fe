// Answers questions with KubeAdmiral's own planners: one question as JSON on each line, one answer on each line.
// With -bench it prints how long it takes to plan for 100 and for 1,000 clusters, in microseconds.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/kubewharf/kubeadmiral/pkg/controllers/scheduler/framework/plugins/preferencebinpack"
	"github.com/kubewharf/kubeadmiral/pkg/controllers/scheduler/framework/plugins/rsp"
	"github.com/kubewharf/kubeadmiral/pkg/controllers/scheduler/planner"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fedcorev1a1 "github.com/kubewharf/kubeadmiral/pkg/apis/core/v1alpha1"
)

type preference struct {
	MinReplicas *int64 `json:"minReplicas"`
	MaxReplicas *int64 `json:"maxReplicas"`
	Weight      *int64 `json:"weight"`
}

type question struct {
	Ask               string                `json:"ask,omitempty"`
	Key               string                `json:"key"`
	Total             int64                 `json:"total"`
	Clusters          map[string]preference `json:"clusters"`
	Candidates        []string              `json:"candidates"`
	Current           map[string]int64      `json:"current"`
	EstimatedCapacity map[string]int64      `json:"estimatedCapacity"`
	LimitedCapacity   map[string]int64      `json:"limitedCapacity"`
	AvoidDisruption   bool                  `json:"avoidDisruption"`
	KeepUnschedulable bool                  `json:"keepUnschedulable"`
	ScheduledReplicas map[string]int64      `json:"scheduledReplicas,omitempty"`
	Allocatable       []int64               `json:"allocatable,omitempty"`
	Available         []int64               `json:"available,omitempty"`
}

type answer struct {
	question
	Plan     map[string]int64 `json:"plan"`
	Overflow map[string]int64 `json:"overflow"`
}

func number(value *int64) int64 {
	if value == nil {
		return 0
	}
	return *value
}

func (asked question) spread() (map[string]int64, map[string]int64, error) {
	clusters := map[string]planner.ClusterPreferences{}
	for name, each := range asked.Clusters {
		clusters[name] = planner.ClusterPreferences{
			MinReplicas: number(each.MinReplicas),
			MaxReplicas: each.MaxReplicas,
			Weight:      number(each.Weight),
		}
	}
	return planner.Plan(
		&planner.ReplicaSchedulingPreference{Clusters: clusters}, asked.Total, asked.Candidates, asked.Current,
		asked.EstimatedCapacity, asked.LimitedCapacity, asked.Key, asked.AvoidDisruption, asked.KeepUnschedulable,
	)
}

func (asked question) binpack() (map[string]int64, map[string]int64, error) {
	clusters := map[string]preferencebinpack.ClusterPreferences{}
	for name, each := range asked.Clusters {
		clusters[name] = preferencebinpack.ClusterPreferences{
			MinReplicas: number(each.MinReplicas),
			MaxReplicas: each.MaxReplicas,
		}
	}
	return preferencebinpack.Plan(
		&preferencebinpack.ReplicaSchedulingPreference{Clusters: clusters}, asked.Total, asked.Candidates, asked.Current,
		asked.EstimatedCapacity, asked.LimitedCapacity, asked.AvoidDisruption, asked.KeepUnschedulable,
		asked.ScheduledReplicas,
	)
}

// The clusters are called c00, c01 and so on.
func (asked question) weights() (map[string]int64, error) {
	clusters := []*fedcorev1a1.FederatedCluster{}
	for index := range asked.Allocatable {
		cpu := func(value int64) corev1.ResourceList {
			return corev1.ResourceList{corev1.ResourceCPU: *resource.NewQuantity(value, resource.DecimalSI)}
		}
		cluster := &fedcorev1a1.FederatedCluster{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("c%02d", index)}}
		cluster.Status.Resources.Allocatable = cpu(asked.Allocatable[index])
		cluster.Status.Resources.Available = cpu(asked.Available[index])
		clusters = append(clusters, cluster)
	}
	limit, err := rsp.CalcWeightLimit(clusters, corev1.ResourceCPU, 1.4)
	if err != nil {
		return nil, err
	}
	return rsp.AvailableToPercentage(rsp.QueryAvailable(clusters), corev1.ResourceCPU, limit)
}

// For the questions about Spread, the question itself comes back with the answer.
func (asked question) answer() (any, error) {
	switch asked.Ask {
	case "binpack":
		plan, overflow, err := asked.binpack()
		return map[string]any{"plan": plan, "overflow": overflow}, err
	case "weights":
		return asked.weights()
	default:
		plan, overflow, err := asked.spread()
		return answer{asked, plan, overflow}, err
	}
}

// What bench/kubeadmiral.ts asks of its own side, too.
func benchmark(count int) map[string]float64 {
	asked := question{
		Key: "shop/web", Total: int64(count * 3), Current: map[string]int64{},
	}
	clusters := map[string]planner.ClusterPreferences{}
	for index := range count {
		name := fmt.Sprintf("cluster-%04d", index)
		asked.Candidates = append(asked.Candidates, name)
		asked.Current[name] = int64(index % 5)
		clusters[name] = planner.ClusterPreferences{Weight: int64(1 + index%7)}
	}
	preference := &planner.ReplicaSchedulingPreference{Clusters: clusters}
	measure := func(avoidDisruption bool) float64 {
		result := testing.Benchmark(func(b *testing.B) {
			for range b.N {
				planner.Plan(preference, asked.Total, asked.Candidates, asked.Current, nil, nil, asked.Key, avoidDisruption, false)
			}
		})
		return float64(result.T.Nanoseconds()) / float64(result.N) / 1000
	}
	return map[string]float64{"anew": measure(false), "few": measure(true)}
}

func main() {
	out := json.NewEncoder(os.Stdout)
	if len(os.Args) > 1 && os.Args[1] == "-bench" {
		if err := out.Encode(map[string]map[string]float64{"100": benchmark(100), "1000": benchmark(1000)}); err != nil {
			panic(err)
		}
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		said, err := asked.answer()
		if err != nil {
			panic(err)
		}
		if err := out.Encode(said); err != nil {
			panic(err)
		}
	}
}
