output "repository" {
  description = "Where the image is pushed to."
  value       = local.repository
}

output "install_bucket" {
  description = "Where Gadwall's tarball is uploaded to."
  value       = google_storage_bucket.install.name
}

output "archive" {
  description = "The store's URL, as gadwall.yaml has it."
  value       = "s3://${google_storage_bucket.archive.name}"
}

output "control_ssh" {
  description = "How to log in to the control machine."
  value       = "gcloud compute ssh ${var.control.name} --project ${var.project_id} --zone ${var.control.zone} --tunnel-through-iap"
}

output "nodes" {
  description = "The nodes and their private addresses."
  value       = { for name, node in google_compute_instance.node : name => node.network_interface[0].network_ip }
}
