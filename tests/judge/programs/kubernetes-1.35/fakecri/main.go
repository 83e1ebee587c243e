// Copyright: Contributors to the homenode.numa project
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// A container runtime without containers, for kubelets that are only asked what they would do.
//
//	fakecri SOCKET
//
// It answers every CRI call and runs nothing. Each creation of a container, and each update of its
// resources, is one JSON line on standard output: what the kubelet asked the runtime for. It ends
// when its standard input does.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-client/pkg/fake"
)

// image is the one image that is always there.
const image = "localhost/nothing:1"

type line struct {
	Operation string            `json:"operation"`
	Id        string            `json:"id,omitempty"`
	Pod       string            `json:"pod,omitempty"`
	Container string            `json:"container,omitempty"`
	Cpus      string            `json:"cpus"`
	Mems      string            `json:"mems"`
	Memory    int64             `json:"memory_bytes"`
	Quota     int64             `json:"cpu_quota"`
	Shares    int64             `json:"cpu_shares"`
	Unified   map[string]string `json:"unified,omitempty"`
}

type runtime struct{ *fake.RemoteRuntime }

// Version is asked first: a kubelet starts with nothing that does not speak v1.
func (r runtime) Version(context.Context, *cri.VersionRequest) (*cri.VersionResponse, error) {
	return &cri.VersionResponse{
		Version: "0.1.0", RuntimeName: "fakecri", RuntimeVersion: "2.0.0", RuntimeApiVersion: "v1",
	}, nil
}

func (r runtime) RuntimeConfig(context.Context, *cri.RuntimeConfigRequest) (*cri.RuntimeConfigResponse, error) {
	linux := &cri.LinuxRuntimeConfiguration{CgroupDriver: cri.CgroupDriver_CGROUPFS}
	return &cri.RuntimeConfigResponse{Linux: linux}, nil
}

// ImageFsInfo without any file system would keep the eviction manager complaining.
func (r runtime) ImageFsInfo(context.Context, *cri.ImageFsInfoRequest) (*cri.ImageFsInfoResponse, error) {
	disk := []*cri.FilesystemUsage{{
		Timestamp:  time.Now().UnixNano(),
		FsId:       &cri.FilesystemIdentifier{Mountpoint: "/"},
		UsedBytes:  &cri.UInt64Value{Value: 1 << 20},
		InodesUsed: &cri.UInt64Value{Value: 10},
	}}
	return &cri.ImageFsInfoResponse{ImageFilesystems: disk, ContainerFilesystems: disk}, nil
}

func resources(l line, r *cri.LinuxContainerResources) line {
	l.Cpus, l.Mems, l.Memory = r.GetCpusetCpus(), r.GetCpusetMems(), r.GetMemoryLimitInBytes()
	l.Quota, l.Shares, l.Unified = r.GetCpuQuota(), r.GetCpuShares(), r.GetUnified()
	return l
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: fakecri SOCKET")
	}
	lines := json.NewEncoder(os.Stdout)
	tell := func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		answer, err := next(ctx, request)
		switch r := request.(type) {
		case *cri.CreateContainerRequest:
			l := line{Operation: "create", Pod: r.SandboxConfig.GetMetadata().GetName()}
			l.Container = r.Config.GetMetadata().GetName()
			if made, ok := answer.(*cri.CreateContainerResponse); ok && made != nil {
				l.Id = made.ContainerId
			}
			lines.Encode(resources(l, r.Config.GetLinux().GetResources()))
		case *cri.UpdateContainerResourcesRequest:
			lines.Encode(resources(line{Operation: "update", Id: r.ContainerId}, r.GetLinux()))
		}
		return answer, err
	}
	r := runtime{fake.NewFakeRemoteRuntime()}
	ready := []*cri.RuntimeCondition{
		{Type: cri.RuntimeReady, Status: true}, {Type: cri.NetworkReady, Status: true},
	}
	r.RuntimeService.FakeStatus = &cri.RuntimeStatus{Conditions: ready}
	r.ImageService.SetFakeImageSize(1 << 20)
	r.ImageService.SetFakeImages([]string{image})
	os.Remove(os.Args[1])
	socket, err := net.Listen("unix", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	server := grpc.NewServer(grpc.UnaryInterceptor(tell))
	cri.RegisterRuntimeServiceServer(server, r)
	cri.RegisterImageServiceServer(server, r)
	log.Fatal(server.Serve(socket))
}
