package main

import (
	"context"
	"sort"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Reports what a server says of itself, by health checks and by reflection, and follows the health of `service`
// until it serves no more.
func inspect(address, service string) error {
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := inspectServices(ctx, connection, service); err != nil {
		return err
	}
	health := healthpb.NewHealthClient(connection)
	for _, name := range []string{"", service, "there.is.None"} {
		answer, err := health.Check(ctx, &healthpb.HealthCheckRequest{Service: name})
		report(map[string]any{"check": name, "status": answer.GetStatus().String(), "code": status.Code(err).String()})
	}
	list, err := health.List(ctx, &healthpb.HealthListRequest{})
	if err != nil {
		return err
	}
	report(map[string]any{"list": len(list.Statuses)})
	watch, err := health.Watch(ctx, &healthpb.HealthCheckRequest{Service: service})
	if err != nil {
		return err
	}
	for {
		answer, err := watch.Recv()
		if err != nil {
			return err
		}
		report(map[string]any{"watch": answer.Status.String()})
		if answer.Status == healthpb.HealthCheckResponse_NOT_SERVING {
			return nil
		}
	}
}

func inspectServices(ctx context.Context, connection *grpc.ClientConn, service string) error {
	stream, err := reflectionpb.NewServerReflectionClient(connection).ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	ask := func(request *reflectionpb.ServerReflectionRequest) (*reflectionpb.ServerReflectionResponse, error) {
		if err := stream.Send(request); err != nil {
			return nil, err
		}
		return stream.Recv()
	}
	listed, err := ask(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	})
	if err != nil {
		return err
	}
	var services []string
	for _, each := range listed.GetListServicesResponse().GetService() {
		services = append(services, each.Name)
	}
	sort.Strings(services)
	described, err := ask(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service},
	})
	if err != nil {
		return err
	}
	var files []string
	for _, bytes := range described.GetFileDescriptorResponse().GetFileDescriptorProto() {
		var file descriptorpb.FileDescriptorProto
		if err := proto.Unmarshal(bytes, &file); err != nil {
			return err
		}
		files = append(files, file.GetName())
	}
	report(map[string]any{"services": services, "files": files})
	return stream.CloseSend()
}
