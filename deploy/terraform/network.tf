# A network of their own. No machine has a public address.
resource "google_compute_network" "gadwall" {
  name                    = "gadwall"
  auto_create_subnetworks = false

  depends_on = [google_project_service.needed]
}

resource "google_compute_subnetwork" "region" {
  for_each = var.subnets

  name          = "gadwall-${each.key}"
  region        = each.key
  network       = google_compute_network.gadwall.id
  ip_cidr_range = each.value
  # The bucket, the registry and Secret Manager are reached without a public address, and without the NAT.
  private_ip_google_access = true
}

# The nodes and the orchestrator's certificate name this address: it has to stay when the control machine is made anew.
resource "google_compute_address" "control" {
  name         = "gadwall-control"
  region       = var.control.region
  subnetwork   = google_compute_subnetwork.region[var.control.region].id
  address_type = "INTERNAL"
  address      = local.control_address
}

# Nothing else comes in: a network that is made here starts with a rule that lets out everything and in nothing. Bacalhau's API, port 1234, is in
# no rule: it listens on 127.0.0.1.
resource "google_compute_firewall" "nats" {
  name        = "gadwall-nats"
  description = "Nodes reach the orchestrator."
  network     = google_compute_network.gadwall.id
  direction   = "INGRESS"
  source_tags = ["gadwall-node"]
  target_tags = ["gadwall-control"]

  allow {
    protocol = "tcp"
    ports    = ["4222"]
  }
}

resource "google_compute_firewall" "iap_ssh" {
  name        = "gadwall-iap-ssh"
  description = "SSH by way of Google's Identity-Aware Proxy alone, which asks who it is first."
  network     = google_compute_network.gadwall.id
  direction   = "INGRESS"
  # The range that IAP forwards from.
  source_ranges = ["35.235.240.0/20"]
  target_tags   = ["gadwall-control", "gadwall-node"]

  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}

resource "google_compute_router" "region" {
  for_each = var.nat ? var.subnets : {}

  name    = "gadwall-${each.key}"
  region  = each.key
  network = google_compute_network.gadwall.id
}

resource "google_compute_router_nat" "region" {
  for_each = var.nat ? var.subnets : {}

  name                               = "gadwall-${each.key}"
  region                             = each.key
  router                             = google_compute_router.region[each.key].name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}
