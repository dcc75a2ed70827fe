// Answers questions with KubeAdmiral's own planner: one question as JSON on each line, one answer on each line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/kubewharf/kubeadmiral/pkg/controllers/scheduler/planner"
)

type preference struct {
	MinReplicas *int64 `json:"minReplicas"`
	MaxReplicas *int64 `json:"maxReplicas"`
	Weight      *int64 `json:"weight"`
}

type question struct {
	Key               string                `json:"key"`
	Total             int64                 `json:"total"`
	Clusters          map[string]preference `json:"clusters"`
	Candidates        []string              `json:"candidates"`
	Current           map[string]int64      `json:"current"`
	EstimatedCapacity map[string]int64      `json:"estimatedCapacity"`
	LimitedCapacity   map[string]int64      `json:"limitedCapacity"`
	AvoidDisruption   bool                  `json:"avoidDisruption"`
	KeepUnschedulable bool                  `json:"keepUnschedulable"`
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

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		clusters := map[string]planner.ClusterPreferences{}
		for name, each := range asked.Clusters {
			clusters[name] = planner.ClusterPreferences{
				MinReplicas: number(each.MinReplicas),
				MaxReplicas: each.MaxReplicas,
				Weight:      number(each.Weight),
			}
		}
		plan, overflow, err := planner.Plan(
			&planner.ReplicaSchedulingPreference{Clusters: clusters}, asked.Total, asked.Candidates, asked.Current,
			asked.EstimatedCapacity, asked.LimitedCapacity, asked.Key, asked.AvoidDisruption, asked.KeepUnschedulable,
		)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		text, _ := json.Marshal(answer{asked, plan, overflow})
		fmt.Println(string(text))
	}
}
