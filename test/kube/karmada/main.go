// Answers questions with Karmada's own scheduler: one question as JSON on each line, one answer on each line.
// With -bench it prints how long it takes to decide for 100 and for 1,000 clusters, in microseconds.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	clusterv1alpha1 "github.com/karmada-io/karmada/pkg/apis/cluster/v1alpha1"
	policyv1alpha1 "github.com/karmada-io/karmada/pkg/apis/policy/v1alpha1"
	workv1alpha2 "github.com/karmada-io/karmada/pkg/apis/work/v1alpha2"
	"github.com/karmada-io/karmada/pkg/scheduler/core"
	"github.com/karmada-io/karmada/pkg/scheduler/core/spreadconstraint"
	"github.com/karmada-io/karmada/pkg/scheduler/framework"
	"github.com/karmada-io/karmada/pkg/util/helper"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

type rule struct {
	Clusters []string `json:"clusters"`
	Weight   int64    `json:"weight"`
}

type limits struct {
	Min int `json:"minGroups"`
	Max int `json:"maxGroups"`
}

// Of each cluster's numbers there is one list; the clusters are called c00, c01 and so on.
type question struct {
	Ask         string           `json:"ask"`
	Replicas    int32            `json:"replicas"`
	UID         string           `json:"uid"`
	Votes       []int64          `json:"votes"`
	Allocatable []int32          `json:"allocatable"`
	Assigned    []int32          `json:"assigned"`
	Score       []int64          `json:"score"`
	Region      []string         `json:"region"`
	Previous    map[string]int32 `json:"previous"`
	Strategy    string           `json:"strategy"`
	Rules       *[]rule          `json:"rules"`
	Fresh       bool             `json:"fresh"`
	Cluster     *limits          `json:"cluster"`
	RegionLimit *limits          `json:"regions"`
}

type answer struct {
	Replicas map[string]int32 `json:"replicas,omitempty"`
	Clusters []string         `json:"clusters,omitempty"`
	Failed   string           `json:"failed,omitempty"`
}

func (q question) placement() *policyv1alpha1.Placement {
	scheduling := &policyv1alpha1.ReplicaSchedulingStrategy{ReplicaSchedulingType: policyv1alpha1.ReplicaSchedulingTypeDivided}
	switch q.Strategy {
	case "Duplicated":
		scheduling.ReplicaSchedulingType = policyv1alpha1.ReplicaSchedulingTypeDuplicated
	case "Aggregated":
		scheduling.ReplicaDivisionPreference = policyv1alpha1.ReplicaDivisionPreferenceAggregated
	case "DynamicWeighted":
		scheduling.ReplicaDivisionPreference = policyv1alpha1.ReplicaDivisionPreferenceWeighted
		scheduling.WeightPreference = &policyv1alpha1.ClusterPreferences{DynamicWeight: policyv1alpha1.DynamicWeightByAvailableReplicas}
	case "StaticWeighted":
		scheduling.ReplicaDivisionPreference = policyv1alpha1.ReplicaDivisionPreferenceWeighted
		if q.Rules != nil {
			scheduling.WeightPreference = &policyv1alpha1.ClusterPreferences{}
			for _, each := range *q.Rules {
				scheduling.WeightPreference.StaticWeightList = append(scheduling.WeightPreference.StaticWeightList,
					policyv1alpha1.StaticClusterWeight{
						TargetCluster: policyv1alpha1.ClusterAffinity{ClusterNames: each.Clusters},
						Weight:        each.Weight,
					})
			}
		}
	}
	placement := &policyv1alpha1.Placement{ReplicaScheduling: scheduling}
	constrain := func(field policyv1alpha1.SpreadFieldValue, by *limits) {
		if by != nil {
			placement.SpreadConstraints = append(placement.SpreadConstraints,
				policyv1alpha1.SpreadConstraint{SpreadByField: field, MinGroups: by.Min, MaxGroups: by.Max})
		}
	}
	constrain(policyv1alpha1.SpreadByFieldRegion, q.RegionLimit)
	constrain(policyv1alpha1.SpreadByFieldCluster, q.Cluster)
	return placement
}

func nameOf(index int) string {
	return fmt.Sprintf("c%02d", index)
}

func targets(replicas map[string]int32) []workv1alpha2.TargetCluster {
	list := []workv1alpha2.TargetCluster{}
	for _, name := range slices.Sorted(maps.Keys(replicas)) {
		list = append(list, workv1alpha2.TargetCluster{Name: name, Replicas: replicas[name]})
	}
	return list
}

// The binding, with requirements: without them a workload of no replicas isn't taken for a workload.
func (q question) binding() (*workv1alpha2.ResourceBindingSpec, *workv1alpha2.ResourceBindingStatus) {
	spec := &workv1alpha2.ResourceBindingSpec{
		Resource:            workv1alpha2.ObjectReference{UID: types.UID(q.UID)},
		Replicas:            q.Replicas,
		ReplicaRequirements: &workv1alpha2.ReplicaRequirements{},
		Placement:           q.placement(),
		Clusters:            targets(q.Previous),
	}
	status := &workv1alpha2.ResourceBindingStatus{}
	if q.Fresh {
		status.LastScheduledTime = &metav1.Time{Time: time.Unix(1, 0)}
		spec.RescheduleTriggeredAt = &metav1.Time{Time: time.Unix(2, 0)}
	}
	return spec, status
}

func (q question) cluster(index int) *clusterv1alpha1.Cluster {
	cluster := &clusterv1alpha1.Cluster{ObjectMeta: metav1.ObjectMeta{Name: nameOf(index)}}
	if q.Region != nil {
		cluster.Spec.Region = q.Region[index]
	}
	return cluster
}

func replicasOf(list []workv1alpha2.TargetCluster) answer {
	replicas := map[string]int32{}
	for _, each := range list {
		if each.Replicas > 0 {
			replicas[each.Name] = each.Replicas
		}
	}
	return answer{Replicas: replicas}
}

func (q question) webster() []workv1alpha2.TargetCluster {
	weights := helper.ClusterWeightInfoList{}
	for index, each := range q.Votes {
		weights = append(weights, helper.ClusterWeightInfo{ClusterName: nameOf(index), Weight: each})
	}
	dispenser := helper.NewDispenser(q.Replicas, nil, types.UID(q.UID))
	dispenser.AllocateByWeight(weights)
	return dispenser.Result
}

func (q question) completions() []workv1alpha2.TargetCluster {
	shares := []workv1alpha2.TargetCluster{}
	for index, each := range q.Votes {
		shares = append(shares, workv1alpha2.TargetCluster{Name: nameOf(index), Replicas: int32(each)})
	}
	return helper.SpreadReplicasByTargetClusters(q.Replicas, shares, nil, types.UID(q.UID))
}

func (q question) details() []spreadconstraint.ClusterDetailInfo {
	list := []spreadconstraint.ClusterDetailInfo{}
	for index, each := range q.Allocatable {
		list = append(list, spreadconstraint.ClusterDetailInfo{
			Name: nameOf(index), Cluster: q.cluster(index), AllocatableReplicas: each,
		})
	}
	return list
}

func (q question) divide() answer {
	spec, status := q.binding()
	result, err := core.AssignReplicas(q.details(), spec, status)
	if err != nil {
		return answer{Failed: err.Error()}
	}
	return replicasOf(result)
}

// Selects among clusters that are ready to be asked for.
func (q question) selector(spec *workv1alpha2.ResourceBindingSpec) func() ([]spreadconstraint.ClusterDetailInfo, error) {
	scores := framework.ClusterScoreList{}
	for index, each := range q.Assigned {
		cluster := q.cluster(index)
		scores = append(scores, framework.ClusterScore{Cluster: cluster, Score: q.Score[index]})
		if each != 0 {
			spec.Clusters = append(spec.Clusters, workv1alpha2.TargetCluster{Name: cluster.Name, Replicas: each})
		}
	}
	room := func(clusters []*clusterv1alpha1.Cluster, _ *workv1alpha2.ResourceBindingSpec) []workv1alpha2.TargetCluster {
		list := make([]workv1alpha2.TargetCluster, len(clusters))
		for index, each := range clusters {
			list[index] = workv1alpha2.TargetCluster{Name: each.Name, Replicas: q.Allocatable[index]}
		}
		return list
	}
	return func() ([]spreadconstraint.ClusterDetailInfo, error) {
		groups := spreadconstraint.GroupClustersWithScore(scores, spec.Placement, spec, room)
		return spreadconstraint.SelectBestClusters(spec.Placement, groups, q.Replicas)
	}
}

func (q question) choose() answer {
	spec, _ := q.binding()
	clusters, err := q.selector(spec)()
	if err != nil {
		return answer{Failed: err.Error()}
	}
	names := []string{}
	for _, each := range clusters {
		names = append(names, each.Name)
	}
	return answer{Clusters: names}
}

// Where it panics, there is no answer.
func (q question) answer() (said answer) {
	defer func() {
		if recover() != nil {
			said = answer{Failed: "panic"}
		}
	}()
	switch q.Ask {
	case "webster":
		return replicasOf(q.webster())
	case "completions":
		return replicasOf(q.completions())
	case "divide":
		return q.divide()
	default:
		return q.choose()
	}
}

func microseconds(call func()) float64 {
	result := testing.Benchmark(func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			call()
		}
	})
	return float64(result.T.Nanoseconds()) / float64(result.N) / 1000
}

// What bench/karmada.ts asks of its own side, too: 1,000 replicas, and half of the clusters hold one already.
func benchmark(count int) map[string]float64 {
	q := question{Replicas: 1000, UID: "uid"}
	rules := []rule{}
	for index := range count {
		q.Votes = append(q.Votes, int64(50+(index*37)%100))
		q.Allocatable = append(q.Allocatable, int32(50+(index*37)%100))
		q.Assigned = append(q.Assigned, int32(index%2))
		q.Score = append(q.Score, int64(index%2)*100)
		q.Region = append(q.Region, fmt.Sprintf("region-%d", index%10))
		rules = append(rules, rule{[]string{nameOf(index)}, int64(1 + index%7)})
	}
	with := func(strategy string, cluster, region *limits) question {
		changed := q
		changed.Strategy, changed.Cluster, changed.RegionLimit, changed.Rules = strategy, cluster, region, &rules
		return changed
	}
	divide := func(strategy string) float64 {
		asked := with(strategy, nil, nil)
		spec, status := asked.binding()
		details := asked.details()
		return microseconds(func() { must(core.AssignReplicas(details, spec, status)) })
	}
	whole := func(cluster, region *limits) float64 {
		asked := with("DynamicWeighted", cluster, region)
		spec, status := asked.binding()
		selectClusters := asked.selector(spec)
		return microseconds(func() { must(core.AssignReplicas(must(selectClusters()), spec, status)) })
	}
	return map[string]float64{
		"webster":    microseconds(func() { q.webster() }),
		"dynamic":    divide("DynamicWeighted"),
		"static":     divide("StaticWeighted"),
		"aggregated": divide("Aggregated"),
		"byCluster":  whole(&limits{1, count / 2}, nil),
		"byRegion":   whole(&limits{2, count / 2}, &limits{2, 4}),
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
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
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		if err := out.Encode(q.answer()); err != nil {
			panic(err)
		}
	}
}
