"""How a view of the contract is reached from here: directly, or through the API of a cluster."""

from infra.contract import PortForward, View


def reached(view: View, *, grpc: bool = False) -> tuple[str, int]:
    """Host and port to connect to. Raises SliceError when the cluster can't be asked."""
    access = view.access
    port = view.grpc_port if grpc else view.port
    assert port is not None
    if not isinstance(access, PortForward):
        return view.host, port
    from components.slices.forward import forwarded  # what it loads only clusters need

    inside = access.grpc_port if grpc else access.port
    assert inside is not None
    # At the view's own port, where it is free: presigned URLs are valid for one host and port.
    return forwarded(access.context, access.namespace, access.service, inside, preferred=port)
