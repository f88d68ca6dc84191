locals {
  deploy = "${path.module}/.."

  # Known before anything is made: the nodes' user-data names it.
  control_address = cidrhost(var.subnets[var.control.region], 10)
  repository      = "${var.location}-docker.pkg.dev/${var.project_id}/gadwall"
  image           = "${local.repository}/gadwall@${var.image_digest}"
  # Machines are made once there is an image for them.
  has_machines = var.image_digest != ""

  # The files as they are in deploy/: what is installed by hand and what is installed here is the same.
  shared_files = ["cloud-init/first-boot.sh", "cloud-init/gcp.sh", "install/steps.sh", "systemd/bacalhau.service"]
  node_files = { for path in concat(local.shared_files, [
    "install/install-node.sh",
    "logrotate/my_logs",
    "systemd/bacalhau.service.d/node.conf",
    "systemd/gadwall-generator.service",
    "systemd/logrotate.timer.d/hourly.conf",
  ]) : path => file("${local.deploy}/${path}") }
  control_files = merge({ for path in concat(local.shared_files, [
    "install/install-control.sh",
    "systemd/gadwall-harvest.service",
    "systemd/gadwall-harvest.timer",
    "systemd/gadwall-harvest.service.d/bacalhau.conf",
    ]) : path => file("${local.deploy}/${path}") }, {
    "gadwall.yaml" = templatefile("${local.deploy}/cloud-init/gadwall.yaml", {
      bucket            = var.bucket
      image             = local.image
      raw_storage_class = var.raw_storage_class
    })
  })

  versions = {
    install_bucket     = "${var.bucket}-install"
    gadwall_tarball    = var.gadwall_tarball
    gadwall_sha256     = var.gadwall_sha256
    bacalhau_version   = var.bacalhau_version
    bacalhau_sha256    = var.bacalhau_sha256
    token_secret       = "gadwall-nats-token"
    certificate_secret = "gadwall-nats-certificate"
  }

  node_user_data = { for name, node in var.nodes : name => templatefile("${local.deploy}/cloud-init/node.yaml", merge(local.versions, {
    files        = local.node_files
    name         = name
    region       = node.region
    zone         = node.zone
    orchestrator = "${local.control_address}:4222"
    image        = local.image
    store        = "s3://${var.bucket}"
  })) }
  control_user_data = templatefile("${local.deploy}/cloud-init/control.yaml", merge(local.versions, {
    files   = local.control_files
    name    = var.control.name
    address = local.control_address
  }))

  # Everybody on a machine can read its metadata: nothing here is secret.
  metadata = {
    startup-script         = file("${local.deploy}/cloud-init/bootstrap.sh")
    enable-oslogin         = "TRUE"
    block-project-ssh-keys = "TRUE"
    serial-port-enable     = "FALSE"
  }
}

resource "google_compute_instance" "control" {
  count = local.has_machines ? 1 : 0

  name         = var.control.name
  zone         = var.control.zone
  machine_type = var.control_machine_type
  tags         = ["gadwall-control"]
  metadata     = merge(local.metadata, { user-data = local.control_user_data })

  boot_disk {
    initialize_params {
      image = var.boot_image
      size  = var.disk_gb
      type  = "pd-balanced"
    }
  }

  network_interface {
    subnetwork = google_compute_subnetwork.region[var.control.region].id
    network_ip = google_compute_address.control.address
  }

  # The scope lets everything through; what the account may do is in iam.tf.
  service_account {
    email  = google_service_account.control.email
    scopes = ["cloud-platform"]
  }

  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  allow_stopping_for_update = true

  # At its first boot it installs packages by the NAT, and uses its rights.
  depends_on = [
    google_compute_router_nat.region,
    google_secret_manager_secret_iam_member.control_adds,
    google_secret_manager_secret_iam_member.control_reads,
    google_storage_bucket_iam_member.control,
    google_storage_bucket_iam_member.install,
  ]
}

resource "google_compute_instance" "node" {
  for_each = local.has_machines ? var.nodes : {}

  name         = each.key
  zone         = each.value.zone
  machine_type = var.node_machine_type
  tags         = ["gadwall-node"]
  metadata     = merge(local.metadata, { user-data = local.node_user_data[each.key] })

  boot_disk {
    initialize_params {
      image = var.boot_image
      size  = var.disk_gb
      type  = "pd-balanced"
    }
  }

  network_interface {
    subnetwork = google_compute_subnetwork.region[each.value.region].id
  }

  service_account {
    email  = google_service_account.node.email
    scopes = ["cloud-platform"]
  }

  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  allow_stopping_for_update = true

  depends_on = [
    google_artifact_registry_repository_iam_member.node,
    google_compute_router_nat.region,
    google_secret_manager_secret_iam_member.node_reads,
    google_storage_bucket_iam_member.install,
    google_storage_bucket_iam_member.node_objects,
    google_storage_bucket_iam_member.node_uploads,
  ]
}
