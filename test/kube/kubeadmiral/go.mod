// The planner of KubeAdmiral, asked for its answers: tests compare with what it said.
module clusterset.test/kubeadmiral

go 1.26.0

require github.com/kubewharf/kubeadmiral v1.0.0
